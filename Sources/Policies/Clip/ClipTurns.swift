/// A history in pieces that are kept or dropped whole.
///
/// A turn is a user message and all that answers it. Providers refuse a tool result without its call and a
/// call without its result, so turns between which a call reaches over are one piece, with all that stands
/// between them. System messages belong to none.
struct ClipTurns {
    struct Piece: Equatable {
        /// Position of its first message.
        var start: Int
        /// Without system messages.
        var tokens = 0
        var isPinned = false
        /// Whether it begins with a user message; only the very first piece may not.
        ///
        /// Such a remnant of a longer history is no turn, and kept behind a cut it would be the first
        /// message.
        var isTurn: Bool
    }

    private(set) var pieces: [Piece] = []
    private(set) var systemTokens = 0
    private(set) var otherTokens = 0

    /// - Complexity: O(*n*): a piece that is joined is never looked at again.
    init(_ messages: [ClipMessage]) {
        // Where each call was made last: some clients number the calls of every turn anew.
        var openers: [Int: Int] = [:]
        for (position, message) in messages.enumerated() {
            guard message.role != .system else {
                systemTokens += message.tokens
                continue
            }
            add(message, at: position)
            if let opener = message.answersCall.flatMap({ openers[$0] }) { join(from: opener) }
            for call in message.opensCalls { openers[call] = position }
        }
    }

    private mutating func add(_ message: ClipMessage, at position: Int) {
        if message.role == .user || pieces.isEmpty {
            pieces.append(Piece(start: position, isTurn: message.role == .user))
        }
        otherTokens += message.tokens
        pieces[pieces.count - 1].tokens += message.tokens
        if message.isPinned { pieces[pieces.count - 1].isPinned = true }
    }

    /// Makes one piece of all from the one with that position on.
    private mutating func join(from position: Int) {
        while pieces.count > 1, let last = pieces.last, last.start > position {
            pieces.removeLast()
            pieces[pieces.count - 1].tokens += last.tokens
            if last.isPinned { pieces[pieces.count - 1].isPinned = true }
        }
    }
}
