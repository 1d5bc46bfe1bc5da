import Policies
import TestSupport
import Testing

/// A designer's chat behind a fallback, from its first turn on: what a provider's prompt cache sees of it.
@Suite("The forwarded prefix stays the same for many turns on end")
struct ClipPrefixTests {
    static let turns = 300
    /// A chat client's tool definitions.
    static let overhead = 5_000

    @Test("in more than 95 of 100 turns the request begins with the whole one before it", arguments: 0..<4)
    func prefixIsKept(seed: Int) {
        let chat = Self.chat(seed: UInt64(seed))

        let blocks = Self.shareOfKeptPrefixes(in: chat, blockTokens: 4_000)
        let sliding = Self.shareOfKeptPrefixes(in: chat, blockTokens: 0)

        print(
            "seed \(seed): the prefix is kept in \(blocks) of turns in blocks, in \(sliding) by a sliding cut"
        )
        #expect(blocks > 0.95)
        #expect(sliding < 0.6)
    }

    /// The messages of each request: about 220 tokens a turn, 65,000 at the end.
    private static func chat(seed: UInt64) -> [[ClipMessage]] {
        var random = SplitMix(seed: seed)
        var messages = [ClipMessage(.system, tokens: 400)]
        return (0..<turns).map { _ in
            // Short wishes, every twentieth of them with a picture, and answers of a paragraph or two.
            let picture = Int.random(in: 0..<20, using: &random) == 0 ? 258 : 0
            messages.append(ClipMessage(.user, tokens: Int.random(in: 15...75, using: &random) + picture))
            let request = messages
            messages.append(ClipMessage(.assistant, tokens: Int.random(in: 60...260, using: &random)))
            return request
        }
    }

    /// In how many turns, out of 1, the messages that are sent begin with all that were sent in the turn before.
    private static func shareOfKeptPrefixes(in chat: [[ClipMessage]], blockTokens: Int) -> Double {
        let sent = chat.map { messages in
            let cut = ClipPolicy.cut(
                messages: messages,
                overheadTokens: overhead,
                budget: 32_000,
                blockTokens: blockTokens
            )
            let dropped = Set(cut.dropped)
            return messages.indices.filter { !dropped.contains($0) }
        }
        let kept = zip(sent, sent.dropFirst()).count { $1.starts(with: $0) }
        return Double(kept) / Double(chat.count - 1)
    }
}
