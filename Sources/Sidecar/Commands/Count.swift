internal import ArgumentParser
internal import FoundationEssentials
internal import NIOCore
internal import Policies
internal import TokenCount
internal import Wire

/// Counts tokens of standard input.
struct Count: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Count the tokens of standard input.")

    /// More than this at once is refused: the text is held in memory.
    private static let maxBytes = 1 << 30

    @Option(help: "The encoding; o200k_base unless the model says otherwise.")
    var encoding: String?

    @Flag(help: "Print the tokens' ids too.")
    var ids = false

    @Flag(help: "Read a JSON object with a text a line, write one with its count a line.")
    var jsonl = false

    @Flag(help: "Read a chat-completions body and count its parts apart.")
    var chat = false

    @Option(help: "With --chat: the model, whose configured encoding is used.")
    var model: String?

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        if chat { return try countChat() }
        let counter = try TokenCounter(named(encoding ?? "o200k_base"))
        if jsonl { return try countLines(counter) }
        let text = try input()
        guard ids else { return print(counter.count(text)) }
        print(counter.encode(text).map(String.init).joined(separator: " "))
    }

    private func named(_ name: String) throws -> Encoding {
        if let encoding = Encoding.named(name) { return encoding }
        let known = Encoding.all.map(\.name).joined(separator: ", ")
        StandardError.print("sidecar: unknown encoding \(name); known are \(known)")
        throw Exit.unknownName
    }

    private func input() throws -> [UInt8] {
        if let bytes = StandardInput.read(maxBytes: Self.maxBytes) { return bytes }
        StandardError.print("sidecar: more than \(Self.maxBytes) bytes; send less at a time, or use --jsonl")
        throw ExitCode(65)
    }

    private struct Line: Decodable {
        let text: String
    }

    private struct Counted: Encodable {
        let n: Int
        let ids: [Int]?
    }

    private func countLines(_ counter: TokenCounter) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var number = 0
        while let text = readLine() {
            number += 1
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8)) else {
                StandardError.print(
                    "sidecar: line \(number) is not a JSON object with a text; write {\"text\": …}"
                )
                throw ExitCode(65)
            }
            let tokens = counter.encode(line.text)
            let counted = Counted(n: tokens.count, ids: ids ? tokens : nil)
            print(String(decoding: try encoder.encode(counted), as: UTF8.self))
        }
    }

    private struct ChatCount: Encodable {
        let model: String
        let encoding: String
        let total: Int
        let messages: Int
        let tools: Int
        let images: Int
        let framing: Int
    }

    private func countChat() throws {
        let body = ByteBuffer(bytes: try input())
        let settings = try options.load().configuration.policies
        let request = Classification(dialect: .openAIChat, path: "", body: body, headers: [:])
        let name = model ?? request.facts.model
        let chosen = try named(encoding ?? settings.rule(for: name)?.encoding ?? "o200k_base")
        guard let prompt = request.prompt(in: chosen.name) else {
            StandardError.print("sidecar: not a chat-completions body; send JSON with messages")
            throw ExitCode(65)
        }
        let counted = ChatCount(
            model: name,
            encoding: chosen.name,
            total: prompt.total,
            messages: prompt.total - prompt.toolTokens - prompt.imageTokens - prompt.framingTokens,
            tools: prompt.toolTokens,
            images: prompt.imageTokens,
            framing: prompt.framingTokens
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        print(String(decoding: try encoder.encode(counted), as: UTF8.self))
    }
}
