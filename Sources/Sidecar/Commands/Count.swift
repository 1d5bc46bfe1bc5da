internal import ArgumentParser
internal import FoundationEssentials
internal import TokenCount

/// Counts tokens of standard input.
struct Count: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Count the tokens of standard input.")

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

    @Option(help: "Count this file over and over, and print how long the first time and the median one took.")
    var bench: String?

    @OptionGroup var options: ConfigurationOptions

    func validate() throws {
        let modes = [jsonl ? "--jsonl" : nil, chat ? "--chat" : nil, bench == nil ? nil : "--bench"]
            .compactMap(\.self)
        guard modes.count <= 1 else {
            throw ValidationError("\(modes.joined(separator: " and ")) exclude each other; give one of them.")
        }
    }

    func run() throws {
        do {
            if chat { return try countChat() }
            let counter = try TokenCounter(Self.encoding(named: encoding ?? "o200k_base"))
            if let bench { return try CountingBench(of: bench, counter).run() }
            if jsonl { try countLines(counter) } else { try countText(counter) }
        } catch let problem as StandardInput.Problem {
            StandardError.print("sidecar: \(problem.message)")
            throw Exit.unusableInput
        }
    }

    static func encoding(named name: String) throws -> Encoding {
        if let encoding = Encoding.named(name) { return encoding }
        let known = Encoding.all.map(\.name).joined(separator: ", ")
        StandardError.print("sidecar: unknown encoding \(name); known are \(known)")
        throw Exit.unknownName
    }

    private func countText(_ counter: TokenCounter) throws {
        var total = 0
        var isFirst = true
        try StandardInput.forEachTextPart { part in
            guard ids else { return total += counter.count(part) }
            let tokens = counter.encode(part).map(String.init).joined(separator: " ")
            print(isFirst || tokens.isEmpty ? tokens : " " + tokens, terminator: "")
            isFirst = false
        }
        print(ids ? "" : String(total))
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
        try StandardInput.forEachLine { bytes, number in
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(bytes)) else {
                StandardError.print(
                    "sidecar: line \(number) is not a JSON object with a text; write {\"text\": …}"
                )
                throw Exit.unusableInput
            }
            let tokens = ids ? counter.encode(line.text) : nil
            let counted = Counted(n: tokens?.count ?? counter.count(line.text), ids: tokens)
            print(String(decoding: try encoder.encode(counted), as: UTF8.self))
        }
    }
}
