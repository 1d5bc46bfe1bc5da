/// What an answer cost, as its provider counted.
public struct Usage: Equatable, Sendable {
    /// All tokens of the request, cached ones included.
    public var promptTokens: Int
    /// All tokens of the answer, reasoning included.
    public var completionTokens: Int
    /// How many of the prompt's tokens came from the provider's cache; nil when it does not say.
    public var cachedTokens: Int?
    /// In US dollars, where LiteLLM states it.
    public var cost: Double?

    /// What an answer cost, from its numbers.
    public init(promptTokens: Int, completionTokens: Int, cachedTokens: Int? = nil, cost: Double? = nil) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cachedTokens = cachedTokens
        self.cost = cost
    }

    /// Reads the usage that a complete answer states at its top level.
    ///
    /// Knows OpenAI's, Anthropic's and the Responses API's `usage` and Gemini's `usageMetadata`.
    ///
    /// - Returns: nil when the answer is not a JSON object or states none.
    /// - Complexity: O(*n*); nothing but the numbers is decoded.
    public static func reading(answer: UnsafeRawBufferPointer) -> Usage? {
        readingEnd(of: answer) ?? readingAll(of: answer)
    }

    /// Reads a `usage` that stands near the end, where nearly every server puts it.
    ///
    /// An unescaped quote cannot stand in a string, so what is found is a key or a value of its own; and as the
    /// object that it belongs to ends with the document, it is the top-level one.
    private static func readingEnd(of answer: UnsafeRawBufferPointer) -> Usage? {
        let name: StaticString = "\"usage\""
        let length = name.utf8CodeUnitCount
        var start = answer.count - length
        let earliest = max(1, start - 1024)
        while start >= earliest {
            if answer[start] == Ascii.quote, answer[start + 1] == name.utf8Start[1],
                answer[start + length - 1] == Ascii.quote, answer[start - 1] != Ascii.backslash
            {
                break
            }
            start -= 1
        }
        guard start >= earliest, var json = JSONScanner(answer, from: start) else { return nil }
        json.depth = 1
        return readMembers(&json, in: answer)
    }

    private static func readingAll(of answer: UnsafeRawBufferPointer) -> Usage? {
        guard var json = JSONScanner(answer), json.enterObject() else { return nil }
        return readMembers(&json, in: answer)
    }

    /// Reads the members up to the end of the object, which has to be the end of the document.
    private static func readMembers(_ json: inout JSONScanner, in answer: UnsafeRawBufferPointer) -> Usage? {
        var fields = UsageFields()
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            if key.isEqual(to: "usage", in: answer) || key.isEqual(to: "usageMetadata", in: answer) {
                fields.read(&json, in: answer)
            } else {
                json.skipValue()
            }
        }
        return json.isAtEnd() ? fields.usage : nil
    }
}

/// The numbers of one or more usage objects, under the names of every dialect.
struct UsageFields {
    private var prompt: Int?
    private var completion: Int?
    private var cached: Int?
    private var cost: Double?
    /// Anthropic's and the Responses API's; Anthropic's leaves cached tokens out.
    private var input: Int?
    private var cacheRead: Int?
    private var cacheCreation: Int?
    /// Gemini counts reasoning apart.
    private var thoughts: Int?

    /// nil when nothing was counted.
    var usage: Usage? {
        guard prompt != nil || completion != nil || input != nil else { return nil }
        return Usage(
            promptTokens: prompt ?? (input ?? 0) + (cacheRead ?? 0) + (cacheCreation ?? 0),
            completionTokens: (completion ?? 0) + (thoughts ?? 0),
            cachedTokens: cached ?? cacheRead,
            cost: cost
        )
    }

    /// Reads a usage object; what it states replaces what was known, what it leaves out stays.
    ///
    /// A stream of Anthropic's counts the prompt in its first event and the answer in its last.
    mutating func read(_ json: inout JSONScanner, in document: UnsafeRawBufferPointer) {
        guard json.enterObject() else { return }
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            let value = json.position
            if json.next == Ascii.openBrace,
                Self.details.contains(where: { key.isEqual(to: $0, in: document) })
            {
                readDetails(&json, in: document)
                continue
            }
            json.skipValue()
            guard let number = Self.number(document, value..<json.position) else { continue }
            set(key, number, in: document)
        }
    }

    private static let details: [StaticString] = ["prompt_tokens_details", "input_tokens_details"]

    private mutating func readDetails(_ json: inout JSONScanner, in document: UnsafeRawBufferPointer) {
        guard json.enterObject() else { return }
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            let range = json.skipValue()
            guard key.isEqual(to: "cached_tokens", in: document) else { continue }
            cached = Self.number(document, range).flatMap(Self.count) ?? cached
        }
    }

    private mutating func set(_ key: JSONText, _ number: Double, in document: UnsafeRawBufferPointer) {
        if key.isEqual(to: "cost", in: document) {
            cost = number
        } else if let row = Self.counts.first(where: { key.isEqual(to: $0.name, in: document) }) {
            self[row.field] = Self.count(number) ?? self[row.field]
        }
    }

    private enum Field {
        case prompt, completion, cached, input, cacheRead, cacheCreation, thoughts
    }

    /// The pages are OpenAI's "Create chat completion" and "Create a model response", Anthropic's "Messages"
    /// and Gemini's "UsageMetadata".
    private static let counts: [(name: StaticString, field: Field)] = [
        ("prompt_tokens", .prompt),
        ("completion_tokens", .completion),
        ("input_tokens", .input),
        ("output_tokens", .completion),
        ("cache_read_input_tokens", .cacheRead),
        ("cache_creation_input_tokens", .cacheCreation),
        ("promptTokenCount", .prompt),
        ("candidatesTokenCount", .completion),
        ("thoughtsTokenCount", .thoughts),
        ("cachedContentTokenCount", .cached),
    ]

    private subscript(field: Field) -> Int? {
        get {
            switch field {
            case .prompt: prompt
            case .completion: completion
            case .cached: cached
            case .input: input
            case .cacheRead: cacheRead
            case .cacheCreation: cacheCreation
            case .thoughts: thoughts
            }
        }
        set {
            switch field {
            case .prompt: prompt = newValue
            case .completion: completion = newValue
            case .cached: cached = newValue
            case .input: input = newValue
            case .cacheRead: cacheRead = newValue
            case .cacheCreation: cacheCreation = newValue
            case .thoughts: thoughts = newValue
            }
        }
    }

    private static func number(_ document: UnsafeRawBufferPointer, _ range: Range<Int>) -> Double? {
        guard range.count <= 32 else { return nil }
        // Nearly all are whole numbers; only a cost is worth the general way.
        let digits = document[range]
        if digits.count <= 15, digits.allSatisfy({ $0 &- 0x30 < 10 }) {
            return Double(digits.reduce(0) { $0 * 10 + Int($1 - 0x30) })
        }
        return Double(String(decoding: document[range], as: UTF8.self))
    }

    /// A count that can be added to others without overflow.
    private static func count(_ number: Double) -> Int? {
        number >= 0 && number <= 1e15 ? Int(exactly: number) : nil
    }
}
