import TestSupport
import Testing
import Wire

@Suite("A chunked body is followed to its end and not copied")
struct HTTPChunkScannerTests {
    private struct Outcome: Equatable {
        var payload: [UInt8] = []
        /// Counted over all pieces.
        var end: Int?
        var isMalformed = false
        /// Where chunks ended, counted over all pieces; only the last one of a piece is told.
        var chunkEnds: [Int] = []
    }

    private func scan(_ pieces: [ArraySlice<UInt8>]) -> Outcome {
        var scanner = ChunkScanner()
        var outcome = Outcome()
        var offset = 0
        for piece in pieces {
            let progress = Array(piece).withUnsafeBytes { raw in
                scanner.feed(raw) { outcome.payload += Array($0) }
            }
            if scanner.lastChunkEnd > 0 { outcome.chunkEnds.append(offset + scanner.lastChunkEnd) }
            switch progress {
            case .incomplete: break
            case .complete(let end): outcome.end = offset + end
            case .malformed: outcome.isMalformed = true
            }
            guard progress == .incomplete else { break }
            offset += piece.count
        }
        return outcome
    }

    private func scan(_ text: String) -> Outcome {
        scan([Array(text.utf8)[...]])
    }

    static let complete: [(body: String, payload: String, behind: String)] = [
        ("0\r\n\r\n", "", ""),
        ("000\r\n\r\n", "", ""),
        ("3\r\nabc\r\n0\r\n\r\n", "abc", ""),
        ("3\r\nabc\r\n0\r\n\r\nGET /", "abc", "GET /"),
        ("1\r\na\r\n2\r\n\r\n\r\n0\r\n\r\n\r\n", "a\r\n", "\r\n"),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""),
        ("000000000000003\r\nabc\r\n0\r\n\r\n", "abc", ""),
        ("3;a\r\nabc\r\n0;b=c;d=\"e\tf\"\r\n\r\n", "abc", ""),
        ("3;\r\nabc\r\n0\r\n\r\n", "abc", ""),
        ("3\r\nabc\r\n0\r\nA: b\r\nC: d\r\n\r\n", "abc", ""),
        ("3\r\nabc\r\n0\r\nA: \u{E9}\t\r\n\r\nrest", "abc", "rest"),
    ]

    @Test("complete bodies, in two pieces cut anywhere and byte by byte", arguments: complete)
    func completes(body: String, payload: String, behind: String) {
        let bytes = Array(body.utf8)
        let end = bytes.count - behind.utf8.count

        for cut in 0...bytes.count {
            let outcome = scan([bytes[..<cut], bytes[cut...]])
            #expect(outcome.payload == Array(payload.utf8) && outcome.end == end && !outcome.isMalformed)
        }
        let outcome = scan(bytes.indices.map { bytes[$0...$0] })
        #expect(outcome.payload == Array(payload.utf8) && outcome.end == end)
    }

    @Test(
        "malformed bodies, in two pieces cut anywhere",
        arguments: [
            "\r\n", "g\r\n", "-3\r\nabc\r\n", "+3\r\nabc\r\n", "0x3\r\nabc\r\n", " 3\r\nabc\r\n",
            "3 \r\nabc\r\n",
            "3\t\r\nabc\r\n", ";a\r\nabc\r\n", "3\nabc\r\n", "3\rabc\r\n", "3\r\nabcd\r\n",
            "3\r\nabc\n0\r\n\r\n",
            "3\r\nabc0\r\n\r\n", "3\r\nabc\r0\r\n\r\n", "3\r\nabc\r\n\r\n", "0\r\n\n", "0\n\n", "0\r\r\n",
            "0\r\nA: b\n\r\n", "0\r\nA: b\r\r\n", "0\r\n A: b\r\n\r\n", "0\r\n: b\r\n\r\n",
            "0\r\nA: \u{0}\r\n\r\n",
            "3;a\nabc\r\n", "3;a\u{0}\r\nabc\r\n", "3;a\u{7F}\r\nabc\r\n", "3;a\rabc\r\n",
            "1000000000000000\r\n",
            "ffffffffffffffff\r\n", "0000000000000000\r\n", "3,3\r\nabc\r\n", "3.\r\nabc\r\n", "٣\r\nabc\r\n",
        ]
    )
    func refuses(body: String) {
        let bytes = Array(body.utf8)

        for cut in 0...bytes.count {
            let outcome = scan([bytes[..<cut], bytes[cut...]])
            #expect(outcome.isMalformed && outcome.end == nil, "cut at \(cut)")
        }
    }

    @Test("the start of a body waits for the rest")
    func waits() {
        let body = Array("3;x=y\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nA: b\r\n\r\n".utf8)

        for end in 0..<body.count {
            let outcome = scan([body[..<end]])
            #expect(outcome.end == nil && !outcome.isMalformed)
        }
    }

    @Test("nothing is read behind the end")
    func ends() {
        var scanner = ChunkScanner()
        let body = Array("0\r\n\r\n".utf8)

        #expect(body.withUnsafeBytes { scanner.feed($0) { _ in } } == .complete(5))
        #expect(body.withUnsafeBytes { scanner.feed($0) { _ in } } == .malformed)
    }

    @Test("the largest size is accepted, and its data waited for")
    func largest() {
        #expect(scan("fffffffffffffff\r\nabc") == Outcome(payload: Array("abc".utf8)))
    }

    @Test("a chunk's end is told while nothing is open, and not for the last chunk")
    func tellsChunkEnds() {
        #expect(scan("3\r\nabc\r\n").chunkEnds == [8])
        #expect(scan("3\r\nabc\r\n3\r\nde").chunkEnds == [8])
        #expect(scan("3\r\nabc\r\n1\r\nd\r\n").chunkEnds == [14])
        #expect(scan("3\r\nabc\r").chunkEnds == [])
        #expect(scan("3\r\nabc\r\n0\r\n\r\n").chunkEnds == [8])
        let pieces = ["3\r\nabc\r\n", "1", "\r\nd\r", "\n0", "\r\n\r\n"].map { Array($0.utf8)[...] }
        #expect(scan(pieces).chunkEnds == [8, 14])
    }

    @Test("extensions and trailers of a body come to 16 KiB at most")
    func limitsFraming() {
        let most = String(repeating: "x", count: ChunkScanner.maxFramingBytes - 3)

        #expect(scan("0;\(most)x\r\nA:\r\n\r\n").end != nil)
        #expect(scan("0;\(most)xx\r\nA:\r\n\r\n").isMalformed)
        #expect(scan("1;\(most)\r\na\r\n1;\(most)\r\na\r\n0\r\n\r\n").isMalformed, "of all chunks together")
    }

    @Test("whatever the chunks and the cuts, the payload comes back", arguments: 0..<200)
    func property(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let body = ChunkedBody(&random)
        let bytes = body.framed + body.behind
        var pieces: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...20, using: &random))
            pieces.append(piece)
            rest = rest.dropFirst(piece.count)
        }

        let outcome = scan(pieces)

        #expect(outcome.payload == body.payload)
        #expect(outcome.end == body.framed.count && !outcome.isMalformed)
        #expect(Set(outcome.chunkEnds).isSubset(of: body.chunkEnds))
        for piece in [bytes[...]] {
            #expect(scan([piece]).chunkEnds == [body.chunkEnds.last].compactMap { $0 })
        }
    }
}

/// A chunked body of random chunks with extensions and trailers, and what stands behind it.
private struct ChunkedBody {
    var payload: [UInt8] = []
    var framed: [UInt8] = []
    var chunkEnds: [Int] = []
    var behind: [UInt8] = []

    init(_ random: inout SplitMix) {
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let count = Int.random(in: 1...40, using: &random)
            // Bytes that look like framing are the interesting ones.
            let data = (0..<count).map { _ in Array("\r\n0;a ".utf8).randomElement(using: &random) ?? 0 }
            let size = String(count, radix: 16, uppercase: Bool.random(using: &random))
            let zeros = String(repeating: "0", count: Int.random(in: 0...3, using: &random))
            framed +=
                Array("\(zeros)\(size)\(Self.extensionText(&random))\r\n".utf8) + data + Array("\r\n".utf8)
            payload += data
            chunkEnds.append(framed.count)
        }
        framed += Array("0\(Self.extensionText(&random))\r\n".utf8)
        for number in 0..<Int.random(in: 0...2, using: &random) { framed += Array("T-\(number): é\r\n".utf8) }
        framed += Array("\r\n".utf8)
        behind = Array("POST / HTTP/1.1\r\n".utf8.prefix(Int.random(in: 0...17, using: &random)))
    }

    private static func extensionText(_ random: inout SplitMix) -> String {
        ["", "", ";", ";a=b", ";a=\"b;c\";d"].randomElement(using: &random) ?? ""
    }
}
