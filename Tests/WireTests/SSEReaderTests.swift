import TestSupport
import Testing
import Wire

@Suite("Event streams are read line by line, wherever they are cut")
struct SSEReaderTests {
    private func payloads(_ pieces: [[UInt8]], maxLineBytes: Int = 1 << 20) -> (
        data: [String], oversized: Bool
    ) {
        var reader = SSEReader(maxLineBytes: maxLineBytes)
        var data: [String] = []
        for piece in pieces {
            piece.withUnsafeBytes { reader.feed($0) { data.append(String(decoding: $0, as: UTF8.self)) } }
        }
        reader.finish { data.append(String(decoding: $0, as: UTF8.self)) }
        return (data, reader.hasOversizedLine)
    }

    static let streams: [(stream: String, data: [String])] = [
        ("", []),
        ("data: a\n\n", ["a"]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
        ("data: a\rdata: b\r\r", ["a", "b"]),
        ("data:a\ndata:  b\ndata:\ndata: \n\n", ["a", " b", "", ""]),
        ("event: x\ndata: a\nid: 1\n: comment\nretry: 5\n\n", ["a"]),
        ("Data: a\n data: b\ndata : c\ndata\nxdata: d\n", []),
        ("\u{FEFF}data: a\ndata: b\n", ["a", "b"]),
        ("\n\u{FEFF}data: a\n", []),
        ("data: [DONE]", ["[DONE]"]),
        ("data: {\"a\":\"data: b\"}\n\n", ["{\"a\":\"data: b\"}"]),
        ("data: a\u{2028}b\u{85}c\n", ["a\u{2028}b\u{85}c"]),
        (
            "data: long enough to fill more than one vector of bytes\r\ndata: z\n",
            [
                "long enough to fill more than one vector of bytes", "z",
            ]
        ),
    ]

    @Test("whole", arguments: streams)
    func readsWhole(stream: String, data: [String]) {
        #expect(payloads([Array(stream.utf8)]).data == data)
    }

    @Test("in two pieces, cut anywhere, and byte by byte", arguments: streams)
    func readsPieces(stream: String, data: [String]) {
        let bytes = Array(stream.utf8)

        for cut in 0...bytes.count {
            #expect(payloads([Array(bytes[..<cut]), Array(bytes[cut...])]).data == data)
        }
        #expect(payloads(bytes.map { [$0] }).data == data)
    }

    @Test("a line is handed out as soon as it is complete, in CR without waiting for an LF")
    func readsAtOnce() {
        var reader = SSEReader()
        var data: [String] = []

        Array("data: a\r".utf8).withUnsafeBytes {
            reader.feed($0) { data.append(String(decoding: $0, as: UTF8.self)) }
        }

        #expect(data == ["a"])
    }

    @Test("a line within one piece is not copied")
    func copiesNothing() {
        let bytes = Array("data: abc\n".utf8)
        var reader = SSEReader()

        bytes.withUnsafeBytes { bytes in
            reader.feed(bytes) { #expect($0.baseAddress == bytes.baseAddress.map { $0 + 6 }) }
        }
    }

    @Test("a line over the limit is skipped and flagged, wherever it is cut")
    func skipsLongLines() {
        let bytes = Array("data: 12345\ndata: 123456\ndata: z\n".utf8)

        for cut in 0...bytes.count {
            let (data, oversized) = payloads([Array(bytes[..<cut]), Array(bytes[cut...])], maxLineBytes: 11)
            #expect(data == ["12345", "z"] && oversized)
        }
        #expect(payloads(bytes.map { [$0] }, maxLineBytes: 11).data == ["12345", "z"])
        #expect(!payloads([bytes], maxLineBytes: 12).oversized)
    }

    @Test("recorded streams give the same in any pieces", arguments: 0..<10)
    func readsRecordings(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        for name in try RecordedExchange.names("response") {
            let answer = try RecordedExchange(name)
            guard answer.isEventStream else { continue }
            var rest = answer.body[...]
            var pieces: [[UInt8]] = []
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1..<200, using: &random))
                pieces.append(Array(piece))
                rest = rest.dropFirst(piece.count)
            }

            #expect(payloads(pieces).data == payloads([answer.body]).data)
        }
    }
}
