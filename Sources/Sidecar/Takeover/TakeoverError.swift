internal import Glibc

/// Why a takeover cannot be, as a sentence that says what to change.
struct TakeoverError: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// What the system answered to the last call.
    static func system(_ call: String, _ path: String) -> Self {
        Self("\(call) \(path): \(String(cString: strerror(errno)))")
    }
}
