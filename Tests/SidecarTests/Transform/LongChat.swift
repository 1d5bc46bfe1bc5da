import Foundation
import TestSupport

/// A chat of many turns with tools, as a client would send it.
struct LongChat {
    private(set) var messages: [[String: Any]] = []
    private var calls = 0

    init(turns: Int, wordsPerMessage: ClosedRange<Int>, _ random: inout SplitMix) {
        messages.append([
            "role": "system", "content": "Answer in the house style. " + Self.text(200, &random),
        ])
        for _ in 0..<turns { addTurn(wordsPerMessage, &random) }
        messages.append(["role": "user", "content": "The newest question: " + Self.text(20, &random)])
    }

    private mutating func addTurn(_ words: ClosedRange<Int>, _ random: inout SplitMix) {
        messages.append([
            "role": "user", "content": Self.text(Int.random(in: words, using: &random), &random),
        ])
        if Bool.random(using: &random) {
            calls += 1
            let call: [String: Any] = [
                "id": "call_\(calls)", "type": "function",
                "function": ["name": "look_up", "arguments": "{\"q\":\"\(calls)\"}"],
            ]
            messages.append(["role": "assistant", "content": NSNull(), "tool_calls": [call]])
            messages.append([
                "role": "tool", "tool_call_id": "call_\(calls)",
                "content": Self.text(Int.random(in: words, using: &random), &random),
            ])
        }
        messages.append([
            "role": "assistant", "content": Self.text(Int.random(in: words, using: &random), &random),
        ])
    }

    mutating func append(_ message: [String: Any]) {
        messages.append(message)
    }

    /// Words in several scripts, with what JSON has to escape.
    static func text(_ words: Int, _ random: inout SplitMix) -> String {
        let vocabulary = [
            "the", "quick", "Größe", "日本語の", "файл", "\"quoted\"", "C:\\path", "🙂👩‍👩‍👧", "line\nbreak", "naïve",
            "0.125", "printf(\"%d\\n\", x);", "العربية", "tab\there", "a\u{301}", "supercalifragilistic",
        ]
        return (0..<words).map { _ in vocabulary.randomElement(using: &random) ?? "" }.joined(separator: " ")
    }

    var body: String {
        get throws {
            let tools: [[String: Any]] = [
                ["type": "function", "function": ["name": "look_up", "parameters": ["type": "object"]]]
            ]
            let object: [String: Any] = [
                "model": "claude-x", "messages": messages, "tools": tools, "stream": true,
            ]
            return String(
                decoding: try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]),
                as: UTF8.self
            )
        }
    }
}
