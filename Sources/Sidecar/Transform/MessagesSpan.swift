internal import Wire

extension Conversation {
    /// Where the messages of a chat lie once a body is edited: from the first one's start to the last one's end.
    ///
    /// What stands behind the last message is no part of it: the next turn is added there.
    ///
    /// - Parameter splices: merged, in document order.
    /// - Returns: nil for what is no chat, or has no messages.
    func messagesSpan(after splices: [Splice]) -> Range<Int>? {
        guard let array = messagesArray, let last = messages.last?.range.upperBound else { return nil }
        let start = splices.moved(array.lowerBound + 1)
        let end = splices.moved(last)
        return start < end ? start..<end : nil
    }
}

extension [Splice] {
    /// Where an offset lies in the edited document; what is inserted there stands before it.
    fileprivate func moved(_ offset: Int) -> Int {
        prefix { $0.range.upperBound <= offset }
            .reduce(offset) { $0 + $1.replacement.count - $1.range.count }
    }
}
