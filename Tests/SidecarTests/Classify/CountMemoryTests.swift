import NIOCore
import Policies
import TestSupport
import Testing
import Wire

@testable import Sidecar

@Suite("Counts of texts are remembered, by text, encoding and escapes")
struct CountMemoryTests {
    private let memory = CountMemory()

    private func key(_ text: String, _ encoding: UInt16 = 0, isEscaped: Bool = false) -> CountMemory.Key {
        Array(text.utf8).withUnsafeBytes { memory.key($0, encoding: encoding, isEscaped: isEscaped) }
    }

    @Test("what differs anywhere has a key of its own", arguments: 1..<80)
    func keys(length: Int) {
        let text = String(repeating: "a", count: length)
        var keys: Set = [
            key(text), key(text, 1), key(text, isEscaped: true), key(text + "a"), key(text + "\0"),
        ]
        for place in 0..<length {
            var bytes = Array(text.utf8)
            bytes[place] = 0x62
            keys.insert(key(String(decoding: bytes, as: UTF8.self)))
        }

        #expect(keys.count == 5 + length)
        #expect(key(text) == key(text))
    }

    @Test("the newest are known, however many came before")
    func generations() {
        for number in 0..<100_000 { memory.remember(number, of: key("text \(number)")) }

        for number in 99_000..<100_000 { #expect(memory.count(of: key("text \(number)")) == number) }
        #expect(memory.count(of: key("text 1")) == nil)
    }

    @Test("what is asked for again stays")
    func stays() {
        memory.remember(7, of: key("wanted"))
        for number in 0..<100_000 {
            memory.remember(number, of: key("text \(number)"))
            if number % 1000 == 0 { #expect(memory.count(of: key("wanted")) == 7) }
        }
    }

    @Test("a prompt counts the same whether its texts were seen before or not", arguments: 0..<20)
    func sameCounts(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let body = ByteBuffer(string: try LongChat(turns: 12, wordsPerMessage: 1...60, &random).body)
        for encoding in ["o200k_base", "cl100k_base", "o200k_base"] {
            let fresh = Classification(dialect: .openAIChat, path: "", body: body, headers: [:])
            let seen = Classification(
                dialect: .openAIChat,
                path: "",
                body: body,
                headers: [:],
                counts: memory
            )

            #expect(
                try #require(fresh.prompt(by: Counting(encoding: encoding))).total
                    == seen.prompt(by: Counting(encoding: encoding))?.total
            )
        }
    }
}
