import Foundation
import Testing

@testable import Telemetry

@Suite("A span is encoded as OpenTelemetry's own packages do it")
struct SpanEncoderTests {
    private static let identity = SpanIdentity(
        traceHigh: 0x4BF9_2F35_77B3_4DA6,
        traceLow: 0xA3CE_929D_0E0E_4736,
        span: 0x00F0_67AA_0BA9_02B7,
        parent: 1,
        hasRemoteParent: true,
        traceState: "a=1"
    )
    private static let times = SpanTimes(started: 1, ended: 1_763_762_400_000_000_000)

    /// Written by opentelemetry-proto 1.45.2 for Python.
    private static let golden = """
        0a104bf92f3577b34da6a3ce929d0e0e4736120800f067aa0ba902b71a03613d31220800000000000000012a0663686174206d30\
        023901000000000000004100c030d88e247a184a090a017412040a02c3a94a070a017312020a004a100a0169120b18ffffffffff\
        ffffffff014a080a016e120318ac024a070a0162120210014a070a0166120210004a0e0a0164120921000000000000e03f7a0812\
        046c6174651802850101030000
        """

    private func encoded(
        _ identity: SpanIdentity = identity,
        _ write: (inout SpanEncoder) -> Void = { _ in }
    ) -> [UInt8] {
        var buffer: [UInt8] = []
        SpanEncoder.append(to: &buffer, identity, name: ("chat", "m"), .server, Self.times, write)
        return buffer
    }

    @Test("byte for byte, with every type of attribute")
    func known() {
        let bytes = encoded { span in
            span.add("t", "é")
            span.add("s", "" as StaticString)
            span.add("i", -1)
            span.add("n", 300)
            span.add("b", true)
            span.add("f", false)
            span.add("d", 0.5)
            span.fail("late")
        }

        let span = Self.golden
        #expect(bytes.hexadecimal == "12a901" + span)
    }

    @Test("attributes whose names are known late give the same bytes")
    func late() {
        let bytes = encoded { span in
            span.add(named: "t", .text("é"))
            span.add(named: "s", .text(""))
            span.add(named: "i", .integer(-1))
            span.add(named: "n", .integer(300))
            span.add(named: "b", .truth(true))
            span.add(named: "f", .truth(false))
            span.add(named: "d", .number(0.5))
            span.fail("late")
        }

        #expect(bytes.hexadecimal == "12a901" + Self.golden)
    }

    @Test("spans stand one behind the other, whatever was in the buffer")
    func appended() {
        var buffer: [UInt8] = [1, 2, 3]
        for _ in 0..<3 {
            SpanEncoder.append(to: &buffer, Self.identity, name: "GET", .client, Self.times) { _ in }
        }

        #expect(buffer.prefix(3) == [1, 2, 3])
        #expect((buffer.count - 3) % 3 == 0)
        let length = (buffer.count - 3) / 3
        #expect(buffer[3..<3 + length] == buffer[(3 + 2 * length)...])
    }

    @Test("the first span of a trace has no parent, no state and no remote one")
    func first() {
        let root = SpanIdentity(traceHigh: 1, traceLow: 2, span: 3)

        let bytes = encoded(root)

        // Neither field 3 nor field 4 follows the span's id, and the flags say that the parent is not remote.
        #expect(bytes.hexadecimal.contains("0000000000000003" + "2a0663686174206d"))
        #expect(bytes.hexadecimal.hasSuffix("850101010000"))
        #expect(encoded(root.child(4)).hexadecimal.contains("0000000000000004" + "22080000000000000003"))
    }

    @Test("a text that is too long is cut between two characters", arguments: [511, 512, 513, 5000])
    func cuts(count: Int) {
        let text = String(repeating: "é", count: count)

        let bytes = encoded { $0.add("k", text) }

        let kept = String(repeating: "c3a9", count: 256)
        #expect(bytes.hexadecimal.contains("12" + "8304" + "0a8004" + kept + "8501"))
    }

    @Test("attributes for which there is no room are dropped and counted", arguments: [10, 20, 500])
    func drops(count: Int) {
        let text = String(repeating: "x", count: 512)

        let bytes = encoded { span in
            for _ in 0..<count { span.add("k", text) }
            span.fail(text)
        }

        let kept = bytes.count { $0 == UInt8(ascii: "x") } / 512 - 1
        #expect(bytes.count <= 8192 && kept == min(count, 14))
        if kept < count {
            let dropped = count - kept
            let field: [UInt8] =
                dropped < 128 ? [0x50, UInt8(dropped)] : [0x50, UInt8(dropped & 0x7F | 0x80), 3]
            #expect(bytes.hexadecimal.contains(field.hexadecimal + "7a"))
        }
    }

    @Test("a block that waits takes no more memory than its spans")
    func compacted() {
        let bytes = encoded()
        let block = SpanBlock(bytes: bytes, count: 1)

        #expect(block.compacted() == block)
        #expect(bytes.capacity >= 8192 && block.compacted().bytes.capacity < bytes.count + 64)
    }

    @Test("a span never ends before it began")
    func order() {
        #expect(SpanTimes(started: 5, ended: 3).ended == 5)
    }

    @Test("a batch is the spans within their scope within their resource, byte for byte")
    func export() throws {
        let span = [UInt8](hexadecimal: "12a901" + Self.golden)
        let export = TraceExport(
            resource: [("b", "lost"), ("a", "2"), ("b", "")],
            scope: (name: "n", version: "1")
        )

        let body = export.body(of: [SpanBlock(bytes: span, count: 1)])

        let head = "0acc010a130a080a016112030a01320a070a016212020a0012b4010a060a016e120131"
        #expect(body.hexadecimal == head + span.hexadecimal)
        let two = export.body(of: [SpanBlock(bytes: span, count: 1), SpanBlock(bytes: span, count: 1)])
        #expect(two.suffix(2 * span.count) == span + span)
        #expect(
            export.body(of: []).hexadecimal
                == "0a1f0a130a080a016112030a01320a070a016212020a0012080a060a016e120131"
        )
    }
}

extension [UInt8] {
    fileprivate var hexadecimal: String {
        map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    fileprivate init(hexadecimal text: String) {
        let digits = Array<Character>(text)
        self = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
    }
}
