/// A way of turning text into tokens: a vocabulary and the rule that cuts text into pieces.
public struct Encoding: Sendable {
    /// The name by which the configuration and the reference implementation know it.
    public let name: String

    /// How text is cut before the pieces are merged.
    enum Split: Sendable {
        case o200k, cl100k
    }

    let vocabulary: Vocabulary
    let split: Split

    /// OpenAI's encoding from GPT-4o on: 199,998 ordinary tokens.
    public static let o200kBase = Encoding(name: "o200k_base", vocabulary: .o200kBase, split: .o200k)

    /// OpenAI's encoding of GPT-4 and GPT-3.5: 100,256 ordinary tokens.
    public static let cl100kBase = Encoding(name: "cl100k_base", vocabulary: .cl100kBase, split: .cl100k)

    /// Every encoding that the binary carries.
    public static let all: [Encoding] = [o200kBase, cl100kBase]

    /// The encoding of a name; nil when there is none.
    public static func named(_ name: String) -> Encoding? {
        all.first { $0.name == name }
    }
}

extension Encoding: Equatable {
    /// Names are unique.
    public static func == (left: Encoding, right: Encoding) -> Bool {
        left.name == right.name
    }
}

extension Encoding: CustomStringConvertible {
    public var description: String { name }
}
