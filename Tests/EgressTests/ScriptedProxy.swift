import NIOCore
import NIOPosix

/// A server on loopback that plays a script to each connection: what it sends first, and after each read.
final class ScriptedProxy {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let server: any Channel

    var port: Int { server.localAddress?.port ?? 0 }
    var loop: any EventLoop { group.next() }

    private final class Player: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private var steps: ArraySlice<Step>

        init(_ steps: [Step]) {
            self.steps = steps[...]
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch steps.popFirst() {
            case .send(let bytes):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
            case .sendAndClose(let bytes):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
                context.close(promise: nil)
            case .echo:
                context.writeAndFlush(data, promise: nil)
                steps = [.echo]
            case .stayMute, nil: break
            }
        }
    }

    /// What happens when something has been read.
    enum Step: Sendable {
        case send([UInt8])
        case sendAndClose([UInt8])
        case stayMute
        /// From now on everything comes back.
        case echo
    }

    init(_ steps: [Step]) throws {
        server = try ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Player(steps))
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
    }

    func stop() {
        try? server.close().wait()
        try? group.syncShutdownGracefully()
    }
}
