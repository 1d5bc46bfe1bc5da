import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Testing

@testable import Egress

@Suite("A connector opens roads and says what went wrong", .serialized)
struct ConnectorTests {
    /// Made once: it keeps the trusted certificates that it has read.
    private static let connector = Connector(proxyTLS: .makeClientConfiguration())

    /// Keeps what arrives, from the event loop for the test.
    private final class Inbox: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        private let bytes = Mutex<[UInt8]>([])

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let part = Array(unwrapInboundIn(data).readableBytesView)
            bytes.withLock { $0 += part }
        }

        func received(_ count: Int) async throws -> [UInt8] {
            for _ in 0..<500 where bytes.withLock({ $0.count }) < count {
                try await Task.sleep(for: .milliseconds(4))
            }
            return bytes.withLock { $0 }
        }
    }

    private func open(
        _ link: String,
        on loop: any EventLoop,
        to destination: Destination = Destination(host: "example.com", port: 443),
        limits: RoadLimits = RoadLimits(connectSeconds: 2),
        inbox: Inbox = Inbox(),
        delay: TimeAmount = .zero
    ) async throws -> any Channel {
        let rung = try Rung(link)
        return try await Self.connector.connect(to: destination, by: rung, on: loop, limits: limits) {
            channel in
            channel.eventLoop.scheduleTask(in: delay) {
                try channel.pipeline.syncOperations.addHandler(inbox)
            }.futureResult
        }.get()
    }

    private func fault(_ work: () async throws -> any Channel) async throws -> RoadFault? {
        do {
            try await work().close()
            return nil
        } catch {
            return try #require(error as? RoadFault)
        }
    }

    static let accept: [UInt8] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]

    @Test("what the server says first arrives, however late its reader is", arguments: [0, 50])
    func serverSpeaksFirst(milliseconds: Int64) async throws {
        let proxy = try ScriptedProxy([.send([5, 0]), .send(Self.accept + Array("220 hello".utf8)), .echo])
        defer { proxy.stop() }
        let inbox = Inbox()
        let link = "socks5://127.0.0.1:\(proxy.port)"
        let channel = try await open(link, on: proxy.loop, inbox: inbox, delay: .milliseconds(milliseconds))
        try await channel.writeAndFlush(ByteBuffer(string: " and back"))

        #expect(try await inbox.received(18) == Array("220 hello and back".utf8))
        try await channel.close()
    }

    @Test(
        "a proxy that does not lead on is classified",
        arguments: [
            ([.send([5, 0xFF])], .authentication),
            ([.send([5, 0]), .send([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])], .destinationUnreachable),
            ([.send([5, 0]), .sendAndClose([5, 0, 0])], .closed),
            ([.sendAndClose([])], .closed),
            ([.send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))], .badReply),
            ([.stayMute], .timedOut),
        ] as [([ScriptedProxy.Step], RoadFault)]
    )
    func classified(steps: [ScriptedProxy.Step], expected: RoadFault) async throws {
        let proxy = try ScriptedProxy(steps)
        defer { proxy.stop() }
        let link = "socks5://127.0.0.1:\(proxy.port)"
        let limits = RoadLimits(connectSeconds: 0.3)

        #expect(try await fault { try await open(link, on: proxy.loop, limits: limits) } == expected)
    }

    @Test(
        "a proxy that does not speak TLS is classified",
        arguments: [
            ([.send([5, 0, 5, 0, 5, 0])], .proxyTLS), ([.sendAndClose([])], .proxyTLS),
            ([.stayMute], .timedOut),
        ] as [([ScriptedProxy.Step], RoadFault)]
    )
    func brokenTLS(steps: [ScriptedProxy.Step], expected: RoadFault) async throws {
        let proxy = try ScriptedProxy(steps)
        defer { proxy.stop() }
        let link = "vless://example@127.0.0.1:\(proxy.port)?security=tls&sni=p.example"
        let limits = RoadLimits(connectSeconds: 0.5)

        #expect(try await fault { try await open(link, on: proxy.loop, limits: limits) } == expected)
    }

    @Test("nobody listening is unreachable, by address and by name", arguments: ["127.0.0.1", "localhost"])
    func nobody(host: String) async throws {
        let proxy = try ScriptedProxy([])
        let port = proxy.port
        proxy.stop()
        let loop = MultiThreadedEventLoopGroup.singleton.next()

        #expect(try await fault { try await open("socks5://\(host):\(port)", on: loop) } == .unreachable)
    }

    @Test("a name without an address is unresolved")
    func unresolved() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()

        #expect(try await fault { try await open("socks5://nowhere.invalid:1", on: loop) } == .unresolved)
    }

    @Test(
        "the direct road does not lead to addresses that are not public",
        arguments: ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "::1", "::ffff:127.0.0.1", "10.0.0.1"]
    )
    func privateAddresses(host: String) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let destination = Destination(host: host, port: 9)

        #expect(try await fault { try await open("direct", on: loop, to: destination) } == .privateAddress)
    }

    @Test("unless they are listed", arguments: ["127.0.0.1", "localhost"])
    func listed(host: String) async throws {
        let proxy = try ScriptedProxy([.echo])
        defer { proxy.stop() }
        let inbox = Inbox()
        let channel = try await open(
            "direct",
            on: proxy.loop,
            to: Destination(host: host, port: proxy.port),
            limits: RoadLimits(allowsPrivate: true),
            inbox: inbox
        )
        try await channel.writeAndFlush(ByteBuffer(string: "hello"))

        #expect(try await inbox.received(5) == Array("hello".utf8))
        try await channel.close()
    }

    @Test("the header goes alone where nobody writes")
    func headerAlone() async throws {
        let proxy = try ScriptedProxy([.send([0, 0] + Array("220 hello".utf8))])
        defer { proxy.stop() }
        let inbox = Inbox()
        let channel = try await open("vless://example@127.0.0.1:\(proxy.port)", on: proxy.loop, inbox: inbox)

        #expect(try await inbox.received(9) == Array("220 hello".utf8))
        try await channel.close()
    }

    @Test("an error of who configures the road is theirs, and the connection is gone")
    func configureFails() async throws {
        struct Refusal: Error {}
        let proxy = try ScriptedProxy([.echo])
        defer { proxy.stop() }
        let seen = Mutex<(any Channel)?>(nil)
        let rung = try Rung("vless://example@127.0.0.1:\(proxy.port)")
        let future = Self.connector.connect(
            to: Destination(host: "example.com", port: 443),
            by: rung,
            on: proxy.loop
        ) { channel in
            seen.withLock { $0 = channel }
            return channel.eventLoop.makeFailedFuture(Refusal())
        }

        await #expect(throws: Refusal.self) { try await future.get() }
        try await seen.withLock { $0 }?.closeFuture.get()
    }

    @Test("a destination that no protocol can write is refused before anything is sent")
    func unwritable() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let destination = Destination(host: String(repeating: "a", count: 300), port: 443)

        #expect(
            try await fault { try await open("socks5://127.0.0.1:9", on: loop, to: destination) } == .refused
        )
    }
}
