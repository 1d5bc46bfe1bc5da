import TestSupport

@testable import TokenCount

/// Random text that mixes what the splitting patterns tell apart.
enum SampleText {
    private static let parts = [
        "a", "B", "word", "Word", "WORD", "camelCase", "ж", "Ж", "слово", "中", "文字", "ʰ", "ǅ", "ª", "ß",
        "\u{1F600}",
        "\u{301}", "\u{20DD}", "\u{FE0F}", "0", "12", "3456", "٣", "Ⅷ", "½", "'s", "'LL", "'ſ", "'r", "’s",
        "'", "\"",
        " ", "  ", "\t", "\n", "\r\n", "\r", "\u{85}", "\u{A0}", "\u{3000}", "\u{2028}", "\u{200B}", "\u{0}",
        "/", "//",
        ".", "...", "-", "=", "<|endoftext|>", "€", "\u{FFFD}", "\u{16EA0}", "\u{10FFFF}", "the", " and",
        "ing", "\u{2581}", "e\u{301}", "\u{327}", "\u{1112}\u{1161}\u{11AB}", "각", "ﬁ", "①", "…", "> </a>",
        "<h1>",
    ]

    /// Letters of many scripts, and what else makes long pieces.
    static let alphabets = [
        "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "etaoin", "aZbYcX", "0123456789",
        "!#$%&*+-/<=>",
        "абвгдежзийклмнопрстуфхцчшщъыьэюя", "αβγδεζηθικλμνξοπρστυφχψω", "אבגדהוזחטיכלמנסעפצקרשת",
        "ابتثجحخدذرزسشصضطظعغ",
        "अआइईउऊएऐओऔकखगघचछज", "กขคงจฉชซดตถทธนบปผพฟ", "가나다라마바사아자차카타파하", "あいうえおかきくけこさしすせそ", "天地玄黃宇宙洪荒日月盈昃",
        "e\u{301}a\u{308}x", " \t\n\r\u{A0}",
    ]

    static func any(_ random: inout SplitMix, parts count: Int = 40) -> String {
        (0..<Int.random(in: 0...count, using: &random)).reduce(into: "") { text, _ in
            let part = parts[Int.random(in: parts.indices, using: &random)]
            text += String(repeating: part, count: [1, 1, 1, 2, 5].randomElement(using: &random) ?? 1)
        }
    }

    /// One long piece of letters from a small alphabet, so that merges reach far.
    static func letters(_ random: inout SplitMix, count: Int) -> [UInt8] {
        let alphabet = Array(
            ["ab", "etaoin", "abcdefghijklmnopqrstuvwxyz"].randomElement(using: &random)?.utf8 ?? "a".utf8
        )
        return (0..<count).map { _ in alphabet[Int.random(in: alphabet.indices, using: &random)] }
    }
}

extension Encoding {
    /// The text in the form in which the encoding cuts it.
    func prepared(_ text: String) -> String {
        var text = text
        return text.withUTF8 { bytes in
            preparation.prepared(bytes).map { String(decoding: $0, as: UTF8.self) }
                ?? String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The pieces into which the encoding cuts a text.
    func pieces(of text: String) -> [String] {
        let bytes = Array(prepared(text).utf8)
        return bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress, !buffer.isEmpty else { return [] }
            let text = ClassifiedText(start, count: buffer.count)
            var pieces: [String] = []
            var at = 0
            while at < text.count {
                let end = pieceEnd(in: text, from: at)
                pieces.append(String(decoding: buffer[at..<end], as: UTF8.self))
                at = end
            }
            return pieces
        }
    }

    private func pieceEnd(in text: ClassifiedText, from start: Int) -> Int {
        switch split {
        case .o200k: O200kSplitter.pieceEnd(in: text, from: start)
        case .cl100k: CL100kSplitter.pieceEnd(in: text, from: start)
        case .llama3: Llama3Splitter.pieceEnd(in: text, from: start)
        case .qwen2: Qwen2Splitter.pieceEnd(in: text, from: start)
        case .gpt2: GPT2Splitter.pieceEnd(in: text, from: start)
        case .gemma: GemmaSplitter.pieceEnd(in: text, from: start)
        }
    }
}
