import NIOCore
import Telemetry
import Testing
import Wire

@testable import Sidecar

@Suite("The caller's span is taken over where its traceparent is well formed")
struct TraceParentTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let words: (high: UInt64, low: UInt64) = (0x4BF9_2F35_77B3_4DA6, 0xA3CE_929D_0E0E_4736)
    private static let span: UInt64 = 0x00F0_67AA_0BA9_02B7

    static let rows: [(value: String, parent: TraceParent?)] = [
        ("00-\(trace)-00f067aa0ba902b7-01", TraceParent(span: span, isSampled: true)),
        ("00-\(trace)-00f067aa0ba902b7-00", TraceParent(span: span, isSampled: false)),
        ("00-\(trace)-00f067aa0ba902b7-03", TraceParent(span: span, isSampled: true)),
        ("00-\(trace)-00f067aa0ba902b7-02", TraceParent(span: span, isSampled: false)),
        ("cc-\(trace)-00f067aa0ba902b7-01-more", TraceParent(span: span, isSampled: true)),
        ("00-\(trace)-0000000000000000-01", nil),
        ("00-\(trace)-00F067AA0BA902B7-01", nil),
        ("00-\(trace)-00f067aa0ba902b7-0g", nil),
        ("00-\(trace)-00f067aa0ba902b7-x1", nil),
        ("00-\(trace)-00f067aa0ba902b7_01", nil),
        ("00-\(trace)-00f067aa0ba902b7", nil),
        ("00-00000000000000000000000000000001-00f067aa0ba902b7-01", nil),
        ("", nil),
    ]

    @Test("from the field", arguments: rows)
    func reads(value: String, parent: TraceParent?) {
        let bytes = Array(value.utf8)

        let read = bytes.withUnsafeBytes { TraceParent($0, of: Self.words) }

        #expect(read == parent)
    }

    @Test("what is written can be read again", arguments: [true, false])
    func roundTrip(isSampled: Bool) {
        let parent = TraceParent(span: 0xFEDC_BA98_7654_3210, isSampled: isSampled)

        let written = HeadWriter.buffer(capacity: 55) { $0.put(traceparent: Self.trace, parent) }

        #expect(written.text == "00-\(Self.trace)-fedcba9876543210-\(isSampled ? "01" : "00")")
        #expect(written.withUnsafeReadableBytes { TraceParent($0, of: Self.words) } == parent)
    }

    static let heads: [(fields: [String], parent: UInt64, state: String, isSampled: Bool)] = [
        ([], 0, "", true),
        (["traceparent: 00-\(trace)-00f067aa0ba902b7-01", "TraceState: a=1"], span, "a=1", true),
        (["tracestate: a=1", "traceparent: 00-\(trace)-00f067aa0ba902b7-00"], span, "a=1", false),
        (["tracestate: a=1"], 0, "", true),
        (["traceparent: 00-\(trace)-0000000000000000-00", "tracestate: a=1"], 0, "", true),
    ]

    @Test("a request's own span is a child of the caller's", arguments: heads)
    func continues(fields: [String], parent: UInt64, state: String, isSampled: Bool) throws {
        let bytes = headBuffer(["PATCH / HTTP/1.1", "Host: h"] + fields)

        let trace = RequestTrace(
            head: try bytes.requestHead(),
            bytes: bytes,
            traceID: Self.trace,
            span: 7,
            .standard
        )

        #expect(trace.identity.traceHigh == Self.words.high && trace.identity.traceLow == Self.words.low)
        #expect(trace.identity.span == 7 && trace.identity.parent == parent)
        #expect(trace.identity.hasRemoteParent == (parent != 0) && trace.identity.traceState == state)
        #expect(trace.isSampled == isSampled && trace.outgoing == nil)
        #expect(trace.method.description == "PATCH")
    }

    @Test(
        "methods that are not known are one",
        arguments: [("POST", "POST"), ("post", "_OTHER"), ("PURGE", "_OTHER")]
    )
    func methods(sent: String, named: String) throws {
        let bytes = headBuffer(["\(sent) / HTTP/1.1", "Host: h"])

        let trace = RequestTrace(
            head: try bytes.requestHead(),
            bytes: bytes,
            traceID: Self.trace,
            span: 7,
            .standard
        )

        #expect(trace.method.description == named)
    }

    @Test("an upstream is told of the attempt's span instead of the caller's")
    func headOfAttempt() throws {
        let bytes = headBuffer([
            "GET / HTTP/1.1", "Host: h", "traceparent: 00-\(Self.trace)-00f067aa0ba902b7-01",
            "tracestate: a=1",
        ])
        var head = UpstreamRequestHead(
            head: try bytes.requestHead(),
            bytes: bytes,
            url: UpstreamURL(isTLS: false, host: "litellm", port: 4000),
            clientAddress: "192.0.2.7",
            requestID: "r",
            traceID: Self.trace
        )
        head.traceParent = TraceParent(span: 1, isSampled: true)

        let text = head.written(roomBehind: 0).text

        #expect(text.contains("\r\ntraceparent: 00-\(Self.trace)-0000000000000001-01\r\n"))
        #expect(text.contains("\r\ntracestate: a=1\r\n") && !text.contains("00f067aa0ba902b7"))
    }
}
