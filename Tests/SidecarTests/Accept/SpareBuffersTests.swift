import NIOCore
import Testing

@testable import Sidecar

@Suite("Buffers of large bodies are used again")
struct SpareBuffersTests {
    private let spares = SpareBuffers(most: 48 << 20)

    private func buffer(_ mebibytes: Int) -> ByteBuffer {
        ByteBufferAllocator().buffer(capacity: mebibytes << 20)
    }

    private func address(of buffer: ByteBuffer) -> UnsafeRawPointer? {
        buffer.withVeryUnsafeBytes { $0.baseAddress }
    }

    @Test("empty, and at the same place in memory")
    func again() throws {
        var body = buffer(16)
        body.writeInteger(1)
        let place = address(of: body)
        spares.keep(consume body)

        var spare = try #require(spares.take(for: 12 << 20))
        #expect(spare.readableBytes == 0)
        spare.writeInteger(UInt8(1))
        #expect(address(of: spare) == place)
        #expect(spares.take(for: 12 << 20) == nil, "it is kept no more")
    }

    @Test("one that somebody else has is not kept")
    func shared() {
        var body = buffer(16)
        body.writeInteger(1)
        spares.keep(body)
        #expect(body.readableBytes == 8)
        #expect(spares.take(for: 12 << 20) == nil)
    }

    @Test(
        "never more than half of what large bodies may take, nor than 96 MB",
        arguments: [(16, 0), (64, 1), (256, 6), (4_096, 6)]
    )
    func share(mebibytes: Int, kept: Int) {
        let spares = SpareBuffers(bodiesTake: mebibytes << 20)
        for _ in 0..<20 { spares.keep(buffer(16)) }
        #expect(spares.removeAll().count == kept)
    }

    @Test("one that the allocator keeps itself is not kept", arguments: [(4, 0), (8, 1)])
    func small(mebibytes: Int, kept: Int) {
        spares.keep(buffer(mebibytes))
        #expect(spares.removeAll().count == kept)
    }

    @Test(
        "none that is too small is given, nor one that is larger than a new one",
        arguments: [
            (mebibytes: 17, isGiven: false), (16, true), (9, true), (8, false), (1, false),
        ]
    )
    func sizes(mebibytes: Int, isGiven: Bool) {
        spares.keep(buffer(16))
        #expect((spares.take(for: mebibytes << 20) != nil) == isGiven)
    }

    @Test(
        "as much is let go of as a new buffer takes, and no more",
        arguments: [(mebibytes: 30, left: 1), (20, 1), (8, 2), (60, 0)]
    )
    func bound(mebibytes: Int, left: Int) {
        for _ in 0..<3 { spares.keep(buffer(16)) }
        #expect(spares.take(for: mebibytes << 20) == nil)
        #expect(spares.removeAll().count == left)
    }

    @Test("no more are kept than allowed, and none after all were taken out")
    func most() {
        for _ in 0..<4 { spares.keep(buffer(16)) }
        #expect(spares.removeAll().count == 3)
        #expect(spares.removeAll().isEmpty)
    }
}
