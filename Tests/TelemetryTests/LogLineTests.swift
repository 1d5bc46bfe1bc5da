import Foundation
import Telemetry
import Testing

@Suite("A log line is one JSON object, whatever it is given")
struct LogLineTests {
    private func line(textBytes: Int = 0, _ write: (inout LogLine) -> Void) -> [UInt8] {
        var buffer: [UInt8] = []
        LogLine.append(to: &buffer, textBytes: textBytes, write)
        return buffer
    }

    /// The line's object, as another reader of JSON understands it.
    private func object(_ bytes: [UInt8]) throws -> [String: Any] {
        #expect(bytes.last == 0x0A && bytes.count { $0 == 0x0A } == 1, "one line")
        #expect(!bytes.dropLast().contains { $0 < 0x20 || $0 == 0x7F })
        return try #require(JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    @Test("byte for byte")
    func golden() {
        var bytes = Array("before\n".utf8)
        LogLine.append(to: &bytes, textBytes: 64) { line in
            line.add("msg", "request" as StaticString)
            line.add("model", "a\"b\\c\u{1}\n\u{7F}é🙂" as String)
            line.add("status", 200)
            line.add("stream", true)
            line.add("retried", false)
            line.add("duration_ms", milliseconds: 1_234_567_899)
            line.add("attempts", count: 2) { [("claude", "=", "rate_limited"), ("gem\"ini", "=", "ok")][$0] }
            line.add("clip", [("dropped", 3), ("kept", -1)])
            line.add("none", count: 0) { _ in ("", "", "") }
            line.add("time", UTCTime(seconds: 951_782_400, millisecond: 7))
            line.add("last", 0)
        }

        let expected = #"""
            before
            {"msg":"request","model":"a\"b\\c\u0001\u000a\u007fé🙂","status":200,"stream":true,"retried":false,"duration_ms":1234.567,"attempts":["claude=rate_limited","gem\"ini=ok"],"clip":{"dropped":3,"kept":-1},"none":[],"time":"2000-02-29T00:00:00.007Z","last":0}

            """#
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test("a line without fields is an empty object")
    func empty() {
        #expect(line { _ in } == Array("{}\n".utf8))
    }

    @Test("every scalar up to U+30FF and every plane's ends survive, alone and among others")
    func scalars() throws {
        let values = Array(0...0x30FF) + (1...16).flatMap { [$0 << 16, $0 << 16 | 0xFFFD] }
        let scalars = values.compactMap(Unicode.Scalar.init)
        for scalar in scalars {
            let bytes = line(textBytes: 24) { line in
                line.add("alone", String(scalar))
                line.add("among", "a\(scalar)b")
                line.add("list", count: 1) { _ in (String(scalar), "=", String(scalar)) }
            }

            let read = try object(bytes)

            // Compared as scalars: characters compare by canonical equivalence.
            #expect((read["alone"] as? String)?.unicodeScalars.elementsEqual([scalar]) == true)
            #expect((read["among"] as? String)?.unicodeScalars.elementsEqual(["a", scalar, "b"]) == true)
            #expect(
                (read["list"] as? [String])?.first?.unicodeScalars.elementsEqual([scalar, "=", scalar])
                    == true
            )
        }
    }

    @Test(
        "integers to their extremes",
        arguments: [Int.min, Int.min + 1, -10, -1, 0, 1, 9, 10, 99, 100, .max - 1, .max]
    )
    func integers(value: Int) {
        let bytes = line { line in
            line.add("value", value)
            line.add("object", [("value", value)])
        }

        #expect(bytes == Array("{\"value\":\(value),\"object\":{\"value\":\(value)}}\n".utf8))
    }

    @Test(
        "milliseconds have three decimals, cut off",
        arguments: [
            (0, "0.000"), (999, "0.000"), (1000, "0.001"), (10_000, "0.010"), (999_999, "0.999"),
            (1_000_000, "1.000"), (-5, "0.000"), (.min, "0.000"), (.max, "9223372036854.775"),
        ] as [(Int64, String)]
    )
    func milliseconds(nanoseconds: Int64, written: String) {
        #expect(line { $0.add("ms", milliseconds: nanoseconds) } == Array("{\"ms\":\(written)}\n".utf8))
    }

    @Test("a buffer is filled on, line after line")
    func fillsOn() {
        var buffer: [UInt8] = []
        for number in 0..<3 { LogLine.append(to: &buffer, textBytes: 0) { $0.add("n", number) } }

        #expect(String(decoding: buffer, as: UTF8.self) == "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n")
    }

    @Test("the stated room is enough when every byte of a text is escaped")
    func room() throws {
        let text = String(repeating: "\u{1}", count: 100_000)

        let bytes = line(textBytes: text.utf8.count) { line in
            line.add("text", text)
            for _ in 0..<40 { line.add("bytes_out", Int.min) }
        }

        #expect(bytes.starts(with: Array("{\"text\":\"\\u0001".utf8)) && bytes.count > 600_000)
    }
}
