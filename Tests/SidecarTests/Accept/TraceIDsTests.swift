import Testing

@testable import Sidecar

@Suite("A request is named by the client's own ids where they are well formed")
struct TraceIDsTests {
    private static let made = RequestID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3211)
    private static let own = "0123456789abcdeffedcba9876543211"
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    static let rows: [(fields: [String], request: String, trace: String)] = [
        ([], own, own),
        (["x-request-id: abc-1"], "abc-1", own),
        (["X-Request-ID: a", "x-request-id: b"], "b", own),
        (["x-request-id:"], own, own),
        (["x-request-id: a b"], own, own),
        (["x-request-id: é"], own, own),
        (["x-request-id: " + String(repeating: "a", count: 128)], String(repeating: "a", count: 128), own),
        (["x-request-id: " + String(repeating: "a", count: 129)], own, own),
        (["traceparent: 00-\(trace)-00f067aa0ba902b7-01"], own, trace),
        (["traceparent: cc-\(trace)-00f067aa0ba902b7-01-what-comes-later"], own, trace),
        (["traceparent: 00-\(trace.uppercased())-00f067aa0ba902b7-01"], own, own),
        (["traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01"], own, own),
        (["traceparent: 00-\(trace)"], own, own),
        (["traceparent: 00_\(trace)-00f067aa0ba902b7-01"], own, own),
        (["traceparent: 00-\(trace.dropLast())g-00f067aa0ba902b7-01"], own, own),
        (["x-request-id: mine", "traceparent: 00-\(trace)-00f067aa0ba902b7-01"], "mine", trace),
    ]

    @Test("from the head", arguments: rows)
    func reads(fields: [String], request: String, trace: String) throws {
        let bytes = headBuffer(["GET / HTTP/1.1", "Host: h"] + fields)

        let ids = TraceIDs(head: try bytes.requestHead(), bytes: bytes, made: Self.made)

        #expect(ids.request == request)
        #expect(ids.trace == trace)
    }

    @Test("made ids are 32 hexadecimal digits whose second half is never zero")
    func made() {
        #expect(Self.made.text == Self.own)
        #expect(Self.made.span == String(Self.own.suffix(16)))
        var ids = RequestIDs()
        var seen: Set<String> = []
        for _ in 0..<10_000 {
            let id = ids.next()
            #expect(id.low != 0 && id.text.utf8.count == 32)
            seen.insert(id.text)
        }
        #expect(seen.count == 10_000)
        #expect(RequestID(high: 0, low: 0).text == String(repeating: "0", count: 32))
        #expect(RequestID(high: .max, low: .max).text == String(repeating: "f", count: 32))
    }
}
