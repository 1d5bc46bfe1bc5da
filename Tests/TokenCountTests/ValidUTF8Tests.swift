import TestSupport
import Testing

@testable import TokenCount

@Suite("Ill-formed UTF-8 is told from well-formed")
struct ValidUTF8Tests {
    static let rows: [(bytes: [UInt8], isValid: Bool)] = [
        ([], true),
        ([0x00, 0x7F], true),
        ([0xC2, 0x80], true),
        ([0xE0, 0xA0, 0x80], true),
        ([0xED, 0x9F, 0xBF], true),
        ([0xEE, 0x80, 0x80], true),
        ([0xF0, 0x90, 0x80, 0x80], true),
        ([0xF4, 0x8F, 0xBF, 0xBF], true),
        ([0x80], false),
        ([0xC1, 0xBF], false),
        ([0xC2], false),
        ([0xC2, 0x41], false),
        ([0xE0, 0x9F, 0xBF], false),
        ([0xE1, 0x80], false),
        ([0xED, 0xA0, 0x80], false),
        ([0xF0, 0x8F, 0xBF, 0xBF], false),
        ([0xF1, 0x80, 0x80], false),
        ([0xF4, 0x90, 0x80, 0x80], false),
        ([0xF5, 0x80, 0x80, 0x80], false),
    ]

    @Test("at the bounds of each range, anywhere in a text", arguments: rows)
    func bounds(bytes: [UInt8], isValid: Bool) {
        for padding in 0..<18 {
            let ascii = [UInt8](repeating: 0x61, count: padding)
            #expect(Self.isValid(ascii + bytes) == isValid)
            #expect(Self.isValid(ascii + bytes + ascii) == (isValid || Self.isValid(bytes + ascii)))
        }
    }

    @Test("as the standard library does", arguments: 0..<200)
    func random(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var bytes = Array(SampleText.any(&random, parts: 8).utf8)
        if !bytes.isEmpty {
            bytes[Int.random(in: bytes.indices, using: &random)] ^=
                1 << UInt8.random(in: 0..<8, using: &random)
        }

        #expect(Self.isValid(bytes) == (String(validating: bytes, as: UTF8.self) != nil))
    }

    private static func isValid(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { isValidUTF8($0, count: buffer.count) } ?? true
        }
    }
}
