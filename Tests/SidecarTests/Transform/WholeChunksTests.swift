import NIOCore
import TestSupport
import Testing
import Wire

@testable import Sidecar

@Suite("A stream is passed on chunk by whole chunk")
struct WholeChunksTests {
    /// A relay that scans what arrives and holds back what is not whole.
    private struct Relay {
        var scanner = ChunkScanner()
        var chunks = WholeChunks()
        var passedOn: [UInt8] = []

        mutating func receive(_ bytes: [UInt8]) {
            _ = bytes.withUnsafeBytes { scanner.feed($0) { _ in } }
            let end = scanner.lastChunkEnd
            var written: [UInt8] = []
            chunks.take(ByteBuffer(bytes: bytes), lastChunkEnd: end) { written += $0.readableBytesView }
            passedOn += written
        }
    }

    private static func chunk(_ data: String) -> [UInt8] {
        Array("\(String(data.utf8.count, radix: 16))\r\n\(data)\r\n".utf8)
    }

    @Test(
        "whatever the cuts, a prefix of whole chunks goes out, and in the end everything",
        arguments: 0..<200
    )
    func passesOn(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var stream: [UInt8] = []
        var ends: Set<Int> = [0]
        for _ in 0..<Int.random(in: 0...10, using: &random) {
            stream += Self.chunk(String(repeating: "\r\n", count: Int.random(in: 1...30, using: &random)))
            ends.insert(stream.count)
        }
        stream += Array("0\r\n\r\n".utf8)

        var relay = Relay()
        var rest = stream[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...40, using: &random))
            rest = rest.dropFirst(piece.count)
            relay.receive(Array(piece))

            #expect(stream.starts(with: relay.passedOn) && ends.contains(relay.passedOn.count))
            let received = stream.count - rest.count
            #expect(
                ends.allSatisfy { $0 > received || $0 <= relay.passedOn.count },
                "nothing whole is held back"
            )
        }

        let tail = relay.chunks.takeTail()
        #expect(relay.passedOn + tail.readableBytesView == stream)
        #expect(relay.chunks.takeTail().readableBytes == 0)
    }

    static let endings: [(chunks: [String], isAtEvent: Bool)] = [
        ([], true),
        (["data: a\n\n"], true),
        (["data: a\r\n\r\n"], true),
        (["data: a\n"], false),
        (["data: a\r\n"], false),
        (["data: a"], false),
        (["data: a\n", "\n"], false),
        (["data: a", "\n"], false),
        (["data: a", "\n\n"], true),
        (["data: a", "\r\n"], false),
        (["data: a\r\n", "\r\n"], false),
        (["data: a", "\r\n\r\n"], true),
        (["data: a", "\n\r\n"], false),
        (["data: a\n\n", "data: b"], false),
        (["data: a\n\n", "data: b\n\n"], true),
    ]

    @Test("whether an event has ended is told from the data, wherever the stream is cut", arguments: endings)
    func endsAtEvent(chunks: [String], isAtEvent: Bool) {
        let stream = chunks.flatMap(Self.chunk)
        for cut in 0...stream.count {
            var relay = Relay()
            relay.receive(Array(stream[..<cut]))
            relay.receive(Array(stream[cut...]))

            #expect(relay.passedOn == stream)
            #expect(relay.chunks.endsAtEvent == isAtEvent, "cut at \(cut)")
        }
        var relay = Relay()
        for byte in stream { relay.receive([byte]) }
        #expect(relay.chunks.endsAtEvent == isAtEvent)
    }

    @Test("a chunk with a line end for all its data is never taken for an event's end")
    func doubtfulSizes() {
        for size in ["1", "01", "001", "1;a", "1;\n"] {
            var relay = Relay()
            relay.receive(Self.chunk("data: a") + Array("\(size)\r\n\n\r\n".utf8))
            #expect(!relay.chunks.endsAtEvent, "\(size)")
        }
        for size in ["2", "02", "002"] {
            var relay = Relay()
            relay.receive(Self.chunk("data: a") + Array("\(size)\r\n\r\n\r\n".utf8))
            #expect(!relay.chunks.endsAtEvent, "\(size)")
        }
    }

    @Test("a chunk too large to hold is passed on as it comes, and nothing may be put behind it")
    func largeChunk() {
        let stream = Self.chunk(String(repeating: "a", count: 3 * WholeChunks.maxHeldBytes) + "\n\n")
        var relay = Relay()
        relay.receive(Self.chunk("data: a\n\n"))
        var held = 0
        for start in stride(from: 0, to: stream.count, by: 10_000) {
            relay.receive(Array(stream[start..<min(start + 10_000, stream.count)]))
            held = max(held, start - relay.passedOn.count)
            if start > WholeChunks.maxHeldBytes, start + 10_000 < stream.count {
                #expect(!relay.chunks.endsAtEvent)
            }
        }

        #expect(held <= WholeChunks.maxHeldBytes + 10_000)
        #expect(relay.chunks.endsAtEvent)
        #expect(relay.passedOn == Self.chunk("data: a\n\n") + stream)
    }
}
