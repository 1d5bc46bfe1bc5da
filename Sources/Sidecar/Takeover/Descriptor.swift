internal import Glibc

/// A descriptor of the system, closed with the last reference to it.
final class Descriptor: Sendable {
    let number: CInt

    /// Takes over the duty to close it.
    init(owning number: CInt) {
        self.number = number
    }

    deinit {
        close(number)
    }

    /// Another descriptor of the same, which is not inherited by programs that are executed; the caller closes it.
    ///
    /// - Returns: -1 with `errno` when there is none to be had.
    static func duplicate(_ number: CInt) -> CInt {
        fcntl(number, F_DUPFD_CLOEXEC, 0)
    }
}
