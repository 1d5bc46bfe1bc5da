import NIOCore
import Testing

@testable import Sidecar

@Suite("Buffers of large bodies are used again")
struct SpareBuffersTests {
    private let spares = SpareBuffers(most: 12 << 20)

    private func buffer(_ mebibytes: Int) -> ByteBuffer {
        ByteBuffer(repeating: 1, count: mebibytes << 20)
    }

    private func address(of buffer: ByteBuffer) -> UnsafeRawPointer? {
        buffer.withUnsafeReadableBytes { $0.baseAddress }
    }

    @Test("empty, and at the same place in memory")
    func again() throws {
        let body = buffer(4)
        let place = address(of: body)
        spares.keep(consume body)

        var spare = try #require(spares.take(for: 3 << 20))
        #expect(spare.readableBytes == 0)
        spare.writeInteger(UInt8(1))
        #expect(address(of: spare) == place)
        #expect(spares.take(for: 3 << 20) == nil, "it is kept no more")
    }

    @Test("one that somebody else has is not kept")
    func shared() {
        let body = buffer(4)
        spares.keep(body)
        #expect(body.readableBytes == 4 << 20)
        #expect(spares.take(for: 3 << 20) == nil)
    }

    @Test("never more than a quarter of what bodies may take", arguments: [(4, 0), (32, 2), (1_024, 12)])
    func share(mebibytes: Int, kept: Int) {
        let spares = SpareBuffers(bodiesTake: mebibytes << 20)
        for _ in 0..<20 { spares.keep(buffer(4)) }
        #expect(spares.removeAll().count == kept)
    }

    @Test("a small one is not kept")
    func small() {
        spares.keep(ByteBuffer(repeating: 1, count: 65_536))
        #expect(spares.removeAll().isEmpty)
    }

    @Test(
        "none that is too small is given, nor one that is larger than a new one",
        arguments: [
            (mebibytes: 5, isGiven: false), (4, true), (3, true), (2, false), (1, false),
        ]
    )
    func sizes(mebibytes: Int, isGiven: Bool) {
        spares.keep(buffer(4))
        #expect((spares.take(for: mebibytes << 20) != nil) == isGiven)
    }

    @Test("no more are kept than allowed, and none after all were taken out")
    func most() {
        for _ in 0..<4 { spares.keep(buffer(4)) }
        #expect(spares.removeAll().count == 3)
        #expect(spares.removeAll().isEmpty)
    }
}
