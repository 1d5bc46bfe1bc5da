public import Foundation

/// The received and sent bodies that tests compare with, in `Tests/Fixtures`.
public enum Fixtures {
    /// The root of the checkout.
    public static let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The bytes of one file.
    ///
    /// - Parameter path: relative to `Tests/Fixtures`.
    public static func bytes(_ path: String) throws -> [UInt8] {
        try Array(Data(contentsOf: repository.appending(path: "Tests/Fixtures/\(path)")))
    }

    /// The names of the files in one folder, sorted.
    public static func names(in folder: String) throws -> [String] {
        let folder = repository.appending(path: "Tests/Fixtures/\(folder)")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted()
    }
}
