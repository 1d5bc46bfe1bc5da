internal import ArgumentParser
internal import CSidecar

/// Prints what was built.
struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print version, commit and Swift version.")

    func run() {
        print("sidecar \(BuildVersion.number) (\(BuildVersion.commit)), \(BuildVersion.swift)")
    }
}

/// What this build is.
enum BuildVersion {
    static let number = "0.5.0"

    /// The commit, as the manifest saw it; `unknown` outside a checkout.
    static var commit: String { String(cString: sidecar_commit()) }

    static var swift: String {
        #if compiler(>=6.4)
            "Swift 6.4 or later"
        #elseif compiler(>=6.3)
            "Swift 6.3"
        #elseif compiler(>=6.2)
            "Swift 6.2"
        #else
            "Swift 6.1"
        #endif
    }
}
