import Foundation
import TestSupport
import Testing
import Wire

/// What is read in recorded exchanges, against files that were checked by hand and by another JSON reader.
///
/// Run with `RECORD_GOLDENS=1` to write the files anew.
@Suite("Recorded exchanges are read as recorded in the goldens")
struct WireGoldenTests {
    @Test("every conversation")
    func conversations() throws {
        var lines: [String] = []
        for name in try RecordedExchange.names("request") {
            let request = try RecordedExchange(name)
            let dialect = Dialect.of(path: request.path)
            guard [.openAIChat, .completions, .embeddings].contains(dialect) else { continue }
            let scanned = Conversation.scan(request.body, as: dialect)
            lines += ["# \(name)"] + (scanned.map { describe($0, request.body) } ?? ["not understood"])
        }
        try expect(lines, toEqual: "conversations.txt")
    }

    @Test("every stream")
    func streams() throws {
        var lines: [String] = []
        for name in try RecordedExchange.names("response") {
            let answer = try RecordedExchange(name)
            guard answer.isEventStream else { continue }
            lines.append("\(name): \(ChatStreamReader.reading(answer.body, as: dialect(of: name)).summary)")
        }
        try expect(lines, toEqual: "streams.txt")
    }

    @Test("every error and every usage of an answer in one piece")
    func answers() throws {
        var lines: [String] = []
        for name in try RecordedExchange.names("response") {
            let answer = try RecordedExchange(name)
            guard !answer.isEventStream else { continue }
            let usage = answer.body.withUnsafeBytes { Usage.reading(answer: $0) }
            let error = answer.body.withUnsafeBytes { ErrorBody.reading($0) }
            if let usage { lines.append("\(name): usage=\(usage.summary)") }
            guard let error else { continue }
            let figures = "type=\(error.type) code=\(error.code) status=\(error.status)"
            lines.append(
                "\(name): \(figures) message=\(error.message.utf8.count) \(error.message.prefix(50))"
            )
        }
        try expect(lines, toEqual: "answers.txt")
    }

    private func describe(_ conversation: Conversation, _ body: [UInt8]) -> [String] {
        let model = body.withUnsafeBytes { conversation.model?.string(in: $0) }
        var head = "model=\(model ?? "-") tools=\(conversation.toolDefinitions.count)"
        if conversation.isStream { head += " stream" }
        if conversation.includesUsage { head += " usage" }
        if body.withUnsafeBytes({ conversation.isTask(in: $0) }) { head += " task" }
        return [head] + conversation.summary(in: body)
    }

    private func dialect(of name: String) -> Dialect {
        if name.contains("gemini-native") || name.contains("to-gemini") || name.contains("genai") {
            return .gemini
        }
        return name.contains("anthropic") || name.contains("messages") ? .anthropicMessages : .openAIChat
    }

    private func expect(_ lines: [String], toEqual golden: String) throws {
        let file = Fixtures.repository.appending(path: "Tests/Fixtures/wire/\(golden)")
        let found = lines.map { $0.replacing("\n", with: "\\n") + "\n" }.joined()
        if ProcessInfo.processInfo.environment["RECORD_GOLDENS"] != nil {
            try Data(found.utf8).write(to: file)
            Issue.record("\(golden) was written anew: judge the difference before it is committed")
        }
        let expected = try String(decoding: Fixtures.bytes("wire/\(golden)"), as: UTF8.self)
        for (a, b) in zip(found.split(separator: "\n"), expected.split(separator: "\n")) { #expect(a == b) }
        #expect(found == expected)
    }
}
