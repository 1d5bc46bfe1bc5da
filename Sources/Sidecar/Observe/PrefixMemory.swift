internal import Policies
internal import Synchronization

/// How the messages began that were forwarded last, by conversation.
///
/// Two generations of conversations: what was not heard of since the older one began is forgotten with it; together
/// they take about 6 MB at most. Shared by the event loops, since a conversation comes by any of them.
final class PrefixMemory: Sendable {
    /// A conversation at one model: a client may ask several models in one chat, each of which gets its own history.
    struct Place: Hashable {
        let conversation: StableDigest
        /// The first member of the chain.
        let primary: Target

        /// The conversation is a keyed hash already, and has few models: hashing their names would cost as much as
        /// all the rest of a look-up.
        func hash(into hasher: inout Hasher) {
            hasher.combine(conversation.low)
        }
    }

    private struct Turn {
        var target: Target
        var marks: PrefixMarks
    }

    private struct Generations {
        var young: [Place: Turn] = [:]
        var old: [Place: Turn] = [:]
    }

    private let generations = Mutex(Generations())
    private let generationSize: Int
    private let secret: UInt64

    /// - Parameter generationSize: conversations a generation.
    init(generationSize: Int = 8192) {
        self.generationSize = generationSize
        var system = SystemRandomNumberGenerator()
        secret = system.next()
    }

    /// Takes the messages of a turn in place of those of the turn before.
    ///
    /// - Parameters:
    ///   - messages: as they were forwarded.
    ///   - target: who answered; another one has nothing of the turn before in its cache.
    /// - Returns: the share of the turn before that this one begins with; nil for the first one that is known.
    func keptShare(of messages: UnsafeRawBufferPointer, at place: Place, by target: Target) -> Double? {
        let last = generations.withLock { $0.young[place] ?? $0.old[place] }
        let earlier = last?.target == target ? last?.marks : nil
        let (marks, keptBytes) = PrefixMarks.make(of: messages, secret: secret, comparedWith: earlier)
        generations.withLock { generations in
            if generations.young.count >= generationSize {
                generations.old = generations.young
                generations.young = [:]
            }
            generations.young[place] = Turn(target: target, marks: marks)
        }
        return last.map { Double(keptBytes) / Double(max(1, $0.marks.byteCount)) }
    }
}
