import Testing
import Wire

@testable import Sidecar

@Suite("The body of a request is followed to its end and no further")
struct BodyReaderTests {
    private func read(_ framing: BodyFraming, _ pieces: [ArraySlice<UInt8>]) -> (
        String, Int, BodyReader.Progress
    ) {
        guard var reader = BodyReader(framing) else { return ("", 0, .ended) }
        var payload: [UInt8] = []
        var byteCount = 0
        var progress = BodyReader.Progress.more
        for piece in pieces where progress == .more {
            let read = Array(piece).withUnsafeBytes { raw in reader.read(raw) { payload += Array($0) } }
            byteCount += read.byteCount
            progress = read.progress
        }
        return (String(decoding: payload, as: UTF8.self), byteCount, progress)
    }

    static let rows:
        [(framing: BodyFraming, bytes: String, payload: String, count: Int, progress: BodyReader.Progress)] =
            [
                (.length(3), "abc", "abc", 3, .ended),
                (.length(3), "abcGET /", "abc", 3, .ended),
                (.length(3), "ab", "ab", 2, .more),
                (.chunked, "3\r\nabc\r\n0\r\n\r\n", "abc", 13, .ended),
                (.chunked, "3\r\nabc\r\n0\r\n\r\nGET /", "abc", 13, .ended),
                (.chunked, "3\r\nabc\r\n0\r\n", "abc", 11, .more),
            ]

    @Test("in two pieces cut anywhere, and byte by byte", arguments: rows)
    func reads(
        framing: BodyFraming,
        bytes: String,
        payload: String,
        count: Int,
        progress: BodyReader.Progress
    ) {
        let bytes = Array(bytes.utf8)
        let cuts = (0...bytes.count).map { [bytes[..<$0], bytes[$0...]] }
        for pieces in cuts + [bytes.indices.map { bytes[$0...$0] }] {
            #expect(read(framing, pieces) == (payload, count, progress))
        }
    }

    @Test("what is no chunk is malformed")
    func malformed() {
        let bytes = Array("3\nabc".utf8)

        #expect(read(.chunked, [bytes[...]]).2 == .malformed)
    }

    @Test("without a body there is nothing to read", arguments: [BodyFraming.none, .untilClose])
    func noBody(framing: BodyFraming) {
        #expect(BodyReader(framing) == nil)
    }
}
