internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Lets a listener rest for a moment when the process has no descriptor left for another connection.
///
/// The connection that could not be accepted goes on waiting in the system's queue, so that without a rest the
/// listener would be woken again and again. nginx does the same for as long.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let rest = TimeAmount.milliseconds(500)
    private static let logPause = TimeAmount.seconds(60)

    private let log: EventLog
    private var lastLogged: NIODeadline?

    init(log: EventLog) {
        self.log = log
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error.tellsOfNoSocket else { return context.fireErrorCaught(error) }
        let channel = context.channel
        channel.setOption(.autoRead, value: false).whenComplete { _ in }
        context.eventLoop.scheduleTask(in: Self.rest) {
            channel.setOption(.autoRead, value: true).whenComplete { _ in }
        }
        logOnce(at: .now())
    }

    private func logOnce(at now: NIODeadline) {
        if let lastLogged, now - lastLogged < Self.logPause { return }
        lastLogged = now
        let error = SidecarError.noDescriptors
        log.write(.error, error.message, [("error", error.label)])
    }
}

@available(*, unavailable)
extension AcceptPause: Sendable {}

extension Error {
    /// Whether the system refused a socket for want of descriptors, memory or ports.
    var tellsOfNoSocket: Bool {
        if let connection = self as? NIOConnectionError {
            return !connection.connectionErrors.isEmpty
                && connection.connectionErrors.allSatisfy { $0.error.tellsOfNoSocket }
        }
        guard let error = self as? IOError else { return false }
        return [EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL].contains(error.errnoCode)
    }
}
