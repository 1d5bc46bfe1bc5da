import Foundation
import TestSupport
import Testing

@testable import TokenCount

@Suite("Text takes its normal form")
struct NormalFormTests {
    /// Marks, letters with and without them, Hangul, compatibility letters and singletons, all of Unicode 9.
    static let ranges: [ClosedRange<UInt32>] = [
        0x41...0x7A, 0xA0...0x17F, 0x1C4...0x24F, 0x300...0x36F, 0x388...0x3CE, 0x591...0x5C7, 0x622...0x656,
        0x915...0x94D, 0x9C7...0x9D7, 0xE31...0xE3A, 0x1100...0x1112, 0x1161...0x1175, 0x11A8...0x11C2,
        0x1E00...0x1FBC, 0x2002...0x200A, 0x20D0...0x20DC, 0x2100...0x212B, 0x2460...0x24FF, 0x2ADC...0x2ADC,
        0x304B...0x30FE, 0x3300...0x33FF, 0xAC00...0xAC40, 0xD788...0xD7A3, 0xF900...0xFA6D, 0xFB00...0xFB4E,
        0xFE70...0xFEFC, 0xFF01...0xFF9F, 0x1D15E...0x1D164, 0x1D400...0x1D420, 0x2F800...0x2F830,
    ]

    /// Decomposed first: Foundation's own composition leaves a Hangul syllable and a tail after it apart.
    @Test("as Foundation puts it", arguments: 0..<40)
    func foundation(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        for _ in 0..<100 {
            let text = Self.text(&random)

            #expect(
                Self.normalized(text, .composed)
                    == Array(
                        text.decomposedStringWithCanonicalMapping.precomposedStringWithCanonicalMapping.utf8
                    )
            )
            #expect(
                Self.normalized(text, .compatible)
                    == Array(
                        text.decomposedStringWithCompatibilityMapping.precomposedStringWithCanonicalMapping
                            .utf8
                    )
            )
        }
    }

    @Test("a long text too", arguments: 0..<20)
    func long(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var text = ""
        for _ in 0..<200 {
            text += Self.text(&random)
            text += String(repeating: "plain ", count: Int.random(in: 0...9, using: &random))
        }
        text += String(repeating: "plain ", count: 1000) + "e\u{301}\u{327}"

        #expect(
            Self.normalized(text, .composed)
                == Array(
                    text.decomposedStringWithCanonicalMapping.precomposedStringWithCanonicalMapping.utf8
                )
        )
    }

    // Not compared with Foundation, whose form of a long run is another. Nothing joins the first scalar.
    @Test("a run of marks takes the order of their classes", arguments: [2, 23, 24, 25, 26, 64, 65, 5000])
    func marks(count: Int) {
        var random = SplitMix(seed: UInt64(count))
        let marks = (0..<count).compactMap { _ in
            Unicode.Scalar(UInt32.random(in: 0x300...0x33F, using: &random))
        }
        let ordered = marks.enumerated().sorted {
            ($0.element.properties.canonicalCombiningClass, $0.offset)
                < ($1.element.properties.canonicalCombiningClass, $1.offset)
        }
        let text = String(String.UnicodeScalarView(["\u{4E2D}"] + marks))
        let expected = String(String.UnicodeScalarView(["\u{4E2D}"] + ordered.map(\.element)))

        #expect(Self.normalized(text, .composed) == Array(expected.utf8))
    }

    static let rows: [(String, NormalForm, String)] = [
        ("e\u{301}", .composed, "\u{E9}"),
        ("a\u{301}\u{327}", .composed, "\u{E1}\u{327}"),
        ("q\u{307}\u{323}", .composed, "q\u{323}\u{307}"),
        ("\u{1112}\u{1161}\u{11AB}", .composed, "\u{D55C}"),
        ("\u{D558}\u{11AB}", .composed, "\u{D55C}"),
        ("\u{212B}", .composed, "\u{C5}"),
        ("\u{FB01}", .composed, "\u{FB01}"),
        ("\u{FB01}", .compatible, "fi"),
        ("\u{FF76}\u{FF9E}", .compatible, "\u{30AC}"),
        ("\u{FDFA}", .compatible, "صلى الله عليه وسلم"),
    ]

    @Test("known forms", arguments: rows)
    func known(text: String, form: NormalForm, expected: String) {
        #expect(Self.normalized(text, form) == Array(expected.utf8))
        #expect(
            Self.normalized("abc " + text + " defghijk", form)
                == Array(("abc " + expected + " defghijk").utf8)
        )
    }

    /// U+32FF came with Unicode 12, U+A7F2 with Unicode 14; the library that defines the encodings knows neither.
    @Test("scalars after Unicode 9 stay", arguments: ["\u{32FF}", "\u{A7F2}", "\u{105D2}\u{307}"])
    func later(text: String) {
        #expect(Self.normalized(text, .compatible) == Array(text.utf8))
    }

    @Test(
        "nothing is made for a text that has its form",
        arguments: ["", "plain", "d\u{E9}j\u{E0} \u{4E2D}\u{D55C}"]
    )
    func unchanged(text: String) {
        #expect(Array(text.utf8).withUnsafeBufferPointer { NormalForm.composed.normalized($0) } == nil)
    }

    private static func text(_ random: inout SplitMix) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let range = ranges[Int.random(in: ranges.indices, using: &random)]
            // What no version has assigned stays, but a later one may assign it.
            guard let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)),
                let age = scalar.properties.age, age.major <= 9
            else { continue }
            text.append(scalar)
        }
        return String(text)
    }

    private static func normalized(_ text: String, _ form: NormalForm) -> [UInt8] {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBufferPointer { form.normalized($0) } ?? bytes
    }
}
