/// What of a later attempt's text the client does not have yet.
///
///     echoing   ──(another text; all of the client's)──> owing
///     owing     ──(anything but the white space that is owed)──> open
///     matching  ──(another text: fresh; all of the client's: more)──> open
struct Continuation: Sendable {
    enum Rest: Equatable {
        case more([UInt8])
        /// The answer is another one: all of it, behind the notice that says so.
        case fresh(notice: [UInt8], [UInt8])
    }

    private enum State {
        /// There was no attempt before.
        case none
        /// So many bytes came, all of them the start of what the target was given.
        case echoing(count: Int)
        /// The white space at the end of the client's text, which the target was not given.
        case owing(ArraySlice<UInt8>)
        /// So many bytes were the same as the client's.
        case matching(Int)
        case open
    }

    private var state = State.none
    private var text: [UInt8] = []
    private var given: [UInt8] = []
    private var notice: [UInt8] = []

    /// The first attempt's text is all new.
    init() {}

    init(_ manner: SplicedAnswer.Manner, after text: [UInt8]) {
        self.text = text
        switch manner {
        case .goOn:
            given = Self.prefill(for: text)
            state = .echoing(count: 0)
        case .startOver(let notice):
            self.notice = notice
            state = .matching(0)
        }
    }

    /// The text as a target may be given it to go on from: providers refuse white space at its end.
    static func prefill(for text: [UInt8]) -> [UInt8] {
        Array(text[..<((text.lastIndex { !isSpace($0) } ?? -1) + 1)])
    }

    var isUnderWay: Bool {
        if case .none = state { false } else { true }
    }

    /// Whether the target was asked again and has said nothing.
    var isEmptyAnswer: Bool {
        if case .matching(0) = state { true } else { false }
    }

    /// Takes what the attempt says next.
    mutating func take(_ added: [UInt8]) -> Rest {
        guard !added.isEmpty else { return .more([]) }
        switch state {
        case .none, .open: return .more(added)
        case .echoing(let count): return .more(hear(added, behind: count))
        case .owing(let owed): return .more(paid(owed, by: added[...]))
        case .matching(let count): return match(added, behind: count)
        }
    }

    /// Nothing that could repeat the client's text follows any more.
    ///
    /// - Returns: what was left out although it turns out to be no repetition.
    mutating func settled() -> Rest? {
        switch state {
        case .echoing(let count) where count > 0:
            return .more(paid(text[given.count...], by: given[..<count]))
        case .matching(let count) where count < text.count:
            state = .open
            return .fresh(notice: notice, Array(text[..<count]))
        default: return nil
        }
    }

    private mutating func hear(_ added: [UInt8], behind count: Int) -> [UInt8] {
        let owed = text[given.count...]
        let common = zip(given[count...], added).prefix { $0 == $1 }.count
        if count + common == given.count { return paid(owed, by: added[common...]) }
        guard common == added.count else { return paid(owed, by: given[..<count] + added) }
        state = .echoing(count: count + common)
        return []
    }

    /// Leaves out the white space that the client has and the target was not given.
    private mutating func paid(_ owed: ArraySlice<UInt8>, by added: ArraySlice<UInt8>) -> [UInt8] {
        let common = zip(owed, added).prefix { $0 == $1 }.count
        let isOver = common < added.count || common == owed.count
        state = isOver ? .open : .owing(owed.dropFirst(common))
        return Array(added.dropFirst(common))
    }

    private mutating func match(_ added: [UInt8], behind count: Int) -> Rest {
        let common = zip(text[count...], added).prefix { $0 == $1 }.count
        guard common < added.count else {
            state = .matching(count + common)
            return .more([])
        }
        state = .open
        let isAllOfIt = count + common == text.count
        return isAllOfIt ? .more(Array(added[common...])) : .fresh(notice: notice, text[..<count] + added)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == Ascii.space || byte == Ascii.lineFeed || byte == Ascii.tab || byte == Ascii.carriageReturn
    }
}
