import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import Egress

@Suite("A tunnel's handler loses and reorders nothing")
struct TunnelHandlerTests {
    private static let destination = Destination(host: "example.com", port: 443)

    /// Keeps what reaches the user of a tunnel.
    private final class Recorder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var events: [String] = []
        var bytes: [UInt8] = []

        func channelActive(context: ChannelHandlerContext) { events.append("open") }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += Array(unwrapInboundIn(data).readableBytesView)
        }
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed = event { events.append("end") }
        }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { events.append("\(error)") }
        func channelInactive(context: ChannelHandlerContext) { events.append("closed") }
    }

    private func channel(_ states: [any TunnelState]) throws -> (EmbeddedChannel, Recorder) {
        let channel = EmbeddedChannel()
        let recorder = Recorder()
        for state in states {
            try channel.pipeline.syncOperations.addHandler(TunnelHandler(state, awaitsTLS: false))
        }
        try channel.pipeline.syncOperations.addHandler(recorder)
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1)).wait()
        return (channel, recorder)
    }

    private func written(_ channel: EmbeddedChannel) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let part = try channel.readOutbound(as: ByteBuffer.self) {
            bytes += Array(part.readableBytesView)
        }
        return bytes
    }

    private func socks() throws -> SOCKS5State {
        try SOCKS5State(Self.destination, credentials: nil)
    }

    private func vless() throws -> VLESSState {
        try VLESSState(Self.destination, user: #require(VLESSUser("example")))
    }

    private func shadowsocks() throws -> ShadowsocksState {
        let cipher = ShadowsocksCipher.aes128GCM
        return try ShadowsocksState(
            Self.destination,
            cipher: cipher,
            masterKey: cipher.masterKey(password: "p"),
            salt: [UInt8](repeating: 3, count: 16)
        )
    }

    @Test("the user sees the tunnel open, then payload, then the end", arguments: 0..<40)
    func order(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let (channel, recorder) = try channel([socks()])
        let payload = (0..<5_000).map { UInt8(truncatingIfNeeded: $0) }
        var rest = ([5, 0, 5, 0, 0, 3, 1, 0x61, 0, 80] + payload)[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...2_000, using: &random))
            try channel.writeInbound(ByteBuffer(bytes: piece))
            rest = rest.dropFirst(piece.count)
        }
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)

        #expect(recorder.bytes == payload)
        #expect(recorder.events.prefix(2) == ["open", "end"])
    }

    @Test("a fault is told and closes the connection")
    func fault() throws {
        let (channel, recorder) = try channel([socks()])
        try channel.writeInbound(ByteBuffer(bytes: [4, 0, 1, 2, 3]))

        #expect(recorder.events == ["badReply", "closed"])
        #expect(recorder.bytes.isEmpty)
    }

    @Test("an end before the tunnel is open is a fault")
    func earlyEnd() throws {
        let (channel, recorder) = try channel([socks()])
        try channel.writeInbound(ByteBuffer(bytes: [5, 0, 5]))
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)

        #expect(recorder.events == ["closed", "closed"])
    }

    @Test("an end within a sealed piece is a fault")
    func truncation() throws {
        let (channel, recorder) = try channel([shadowsocks()])
        try channel.writeInbound(ByteBuffer(repeating: 1, count: 15))
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)

        #expect(recorder.events == ["open", "closed", "closed"])
    }

    @Test("the header goes out with the first payload, in one write")
    func headerWithPayload() throws {
        let (channel, _) = try channel([vless()])
        channel.write(ByteBuffer(string: "hel"), promise: nil)
        let end = channel.eventLoop.makePromise(of: Void.self)
        channel.writeAndFlush(ByteBuffer(string: "lo"), promise: end)
        let first = try #require(try channel.readOutbound(as: ByteBuffer.self))
        channel.writeAndFlush(ByteBuffer(string: "more"), promise: nil)

        #expect(first.readableBytes == 34 + 5)
        #expect(try written(channel) == Array("more".utf8))
        try end.futureResult.wait()
    }

    @Test("a flush without payload sends the header alone, once")
    func headerAlone() throws {
        let (channel, _) = try channel([vless()])
        channel.flush()
        channel.flush()

        #expect(try written(channel).count == 34)
    }

    @Test("writes of one flush are sealed together, and all their promises kept")
    func sealedTogether() throws {
        let (channel, _) = try channel([shadowsocks()])
        let promises = (0..<3).map { _ in channel.eventLoop.makePromise(of: Void.self) }
        for promise in promises { channel.write(ByteBuffer(repeating: 7, count: 10), promise: promise) }
        channel.flush()

        #expect(try written(channel).count == 16 + 18 + 15 + 30 + 16)
        for promise in promises { try promise.futureResult.wait() }
    }

    @Test("a write without bytes is sealed by nobody, and its promise kept after those before it")
    func emptyWrite() throws {
        let (channel, _) = try channel([shadowsocks()])
        let promises = (0..<2).map { _ in channel.eventLoop.makePromise(of: Void.self) }
        channel.writeAndFlush(ByteBuffer(repeating: 7, count: 10), promise: promises[0])
        channel.writeAndFlush(ByteBuffer(), promise: promises[1])

        #expect(try written(channel).count == 16 + 18 + 15 + 10 + 16)
        for promise in promises { try promise.futureResult.wait() }
    }

    @Test("what was written is sent before the direction ends")
    func halfClose() throws {
        let (channel, _) = try channel([shadowsocks()])
        channel.write(ByteBuffer(repeating: 7, count: 10), promise: nil)
        channel.close(mode: .output, promise: nil)

        #expect(try written(channel).count == 16 + 18 + 15 + 10 + 16)
    }

    @Test("a write that is never sealed fails when the connection goes")
    func abandoned() throws {
        let (channel, _) = try channel([socks()])
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.write(ByteBuffer(string: "x"), promise: promise)
        channel.pipeline.fireChannelInactive()
        _ = try? channel.finish()

        #expect(throws: ChannelError.self) { try promise.futureResult.wait() }
    }

    @Test("layers open from the lowest upwards")
    func layers() throws {
        let layer = try #require(WebSocketLayer(host: "p.example", path: "/"))
        let socket = WebSocketState(layer, key: Array("the sample nonce".utf8), nextMask: { 0 })
        let (channel, recorder) = try channel([socket, vless()])
        let request = try written(channel)
        let answer = """
            HTTP/1.1 101 Switching Protocols\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
            \r

            """
        #expect(recorder.events.isEmpty && request.starts(with: "GET /".utf8))
        try channel.writeInbound(ByteBuffer(bytes: answer.utf8 + [0x82, 3, 0, 0, 0x61, 0x82, 1, 0x62]))
        channel.writeAndFlush(ByteBuffer(string: "hello"), promise: nil)
        let sent = try written(channel)

        #expect(recorder.events == ["open"] && recorder.bytes == [0x61, 0x62])
        // One frame: header, a mask of zeros, VLESS header, payload.
        #expect(sent.count == 6 + 39 && sent.prefix(2) == [0x82, 0x80 + 39])
    }

    @Test("a WebSocket cannot end one direction, and is closed when both have ended")
    func noHalfClose() throws {
        let layer = try #require(WebSocketLayer(host: "p.example", path: "/"))
        let (channel, _) = try channel([WebSocketState(layer, key: [], nextMask: { 0 })])
        _ = try written(channel)
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.close(mode: .output, promise: promise)
        #expect(throws: ChannelError.operationUnsupported) { try promise.futureResult.wait() }

        #expect(channel.isActive)
        #expect(try written(channel).isEmpty)
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(!channel.isActive)
    }
}
