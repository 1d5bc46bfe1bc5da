internal import Dispatch
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// The threads that hash and decode images, so that no event loop does.
///
/// One less than the processors, and of lower priority: a burst of images delays images, not the other requests.
final class MediaThreads: Sendable {
    private let pool: NIOThreadPool

    /// Starts the threads.
    ///
    /// - Parameter processors: how many this process may use.
    init(processors: Int) {
        let count = max(1, processors - 1)
        pool = NIOThreadPool(numberOfThreads: count)
        pool.start()
        Self.lowerPriority(of: pool, count: count)
    }

    /// Runs something that keeps a processor busy.
    ///
    /// - Throws: what it throws, and `CancellationError` after the end.
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await pool.runIfActive(work)
    }

    /// Ends the threads; what has not begun is given up.
    func stop() {
        pool.shutdownGracefully { _ in }
    }

    /// On Linux a nice value belongs to a thread, so each one lowers its own.
    ///
    /// None may take a second of these jobs, so each holds its thread until all have begun.
    private static func lowerPriority(of pool: NIOThreadPool, count: Int) {
        let begun = DispatchSemaphore(value: 0)
        let allHaveBegun = DispatchSemaphore(value: 0)
        for _ in 0..<count {
            pool.submit { _ in
                setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceValue)
                begun.signal()
                allHaveBegun.wait()
            }
        }
        for _ in 0..<count { begun.wait() }
        for _ in 0..<count { allHaveBegun.signal() }
    }

    private static let niceValue: CInt = 10
}
