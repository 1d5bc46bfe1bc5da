internal import Policies
internal import Synchronization

/// How the messages began that were forwarded last, by conversation.
///
/// Two generations of conversations: what was not heard of since the older one began is forgotten with it; together
/// they take about 6 MB at most. Shared by the event loops, since a conversation comes by any of them: in parts with a
/// lock each, so that a loop that hashes a long text rarely holds up another.
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
        private var target: Target
        /// Nil before the first.
        private var marks: PrefixMarks?

        init(target: Target) {
            self.target = target
        }

        /// - Returns: the share of the turn before that this one begins with.
        mutating func take(_ messages: UnsafeRawBufferPointer, from target: Target, _ secret: UInt64)
            -> Double?
        {
            let earlier = self.target == target ? marks : nil
            let (made, keptBytes) = PrefixMarks.make(of: messages, secret: secret, comparedWith: earlier)
            defer {
                self.target = target
                marks = made
            }
            return marks.map { Double(keptBytes) / Double(max(1, $0.byteCount)) }
        }
    }

    private struct Generations {
        var young: [Place: Turn] = [:]
        var old: [Place: Turn] = [:]
    }

    private final class Part: Sendable {
        let generations = Mutex(Generations())
    }

    private let parts: [Part]
    private let generationSize: Int
    private let secret: UInt64

    /// - Parameters:
    ///   - generationSize: conversations a generation.
    ///   - parts: a power of two.
    init(generationSize: Int = 8192, parts: Int = 16) {
        self.generationSize = generationSize / parts
        self.parts = (0..<parts).map { _ in Part() }
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
        let part = parts[Int(truncatingIfNeeded: place.conversation.high) & (parts.count - 1)]
        return part.generations.withLock { generations in
            // Looked up once, which costs a third of all.
            if let index = generations.young.index(forKey: place) {
                return generations.young.values[index].take(messages, from: target, secret)
            }
            if generations.young.count >= generationSize {
                generations.old = generations.young
                generations.young = [:]
            }
            var turn = generations.old[place] ?? Turn(target: target)
            let share = turn.take(messages, from: target, secret)
            generations.young[place] = turn
            return share
        }
    }
}
