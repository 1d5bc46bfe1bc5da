/// A takeover as the process sees it that serves so far.
///
///     greeting --hello--> offered --ready--> released
///         \                  \
///          `------------------`--anything else, the end, or too late--> over: it serves on
struct PredecessorState: Equatable, Sendable {
    enum Action: Equatable, Sendable {
        /// Send the listening descriptors.
        case offer
        /// Stop accepting where the successor does, say so, and let what is in flight end.
        case release([ListenerName])
        /// Say why not and serve on.
        case refuse(reason: String)
        /// Serve on as if nobody had asked.
        case serveOn
        case nothing
    }

    private enum State: Equatable, Sendable {
        case greeting, offered, released, over
    }

    private var state = State.greeting

    mutating func received(_ message: TakeoverMessage) -> Action {
        switch (state, message) {
        case (.greeting, .hello(TakeoverMessage.version)):
            state = .offered
            return .offer
        case (.greeting, .hello(let version)):
            state = .over
            return .refuse(
                reason: "it speaks version \(TakeoverMessage.version) of the takeover, not \(version)"
            )
        case (.offered, .ready(let listeners)):
            state = .released
            return .release(listeners)
        case (.released, _), (.over, _):
            return .nothing
        default:
            state = .over
            return .refuse(reason: "the message was out of turn")
        }
    }

    /// The successor has left, said something that is no message, or taken too long.
    mutating func ended() -> Action {
        guard state == .greeting || state == .offered else { return .nothing }
        state = .over
        return .serveOn
    }
}

/// A takeover as the process sees it that is to serve from now on.
///
///     greeting --offer--> opening --opened--> confirming --done--> over: it serves
///         \                  \                    \
///          `------------------`--------------------`--refused, or the end--> over: it gives up
///
/// An end without a word after the descriptors have come means that nobody else has them, if the predecessor is dead:
/// then giving up would leave nobody.
struct SuccessorState: Equatable, Sendable {
    enum Action: Equatable, Sendable {
        /// Accept connections at those of the listeners that the configuration names.
        case open([ListenerName])
        /// Tell the predecessor.
        case announce
        case serve
        case giveUp(reason: String)
        case nothing
    }

    private enum State: Equatable, Sendable {
        case greeting, opening, confirming, over
    }

    private var state = State.greeting

    mutating func received(_ message: TakeoverMessage) -> Action {
        switch (state, message) {
        case (.greeting, .offer(let listeners)):
            state = .opening
            return .open(listeners)
        case (.confirming, .done):
            state = .over
            return .serve
        case (.over, _):
            return .nothing
        case (_, .refused(let reason)):
            return giveUp("the running process refuses: \(reason)")
        default:
            return giveUp("the running process said something out of turn")
        }
    }

    /// Every listener that the configuration names accepts connections.
    mutating func opened() -> Action {
        guard state == .opening else { return .nothing }
        state = .confirming
        return .announce
    }

    /// The predecessor has left, said something that is no message, or taken too long.
    mutating func ended(predecessorLives: Bool) -> Action {
        switch state {
        case .over: return .nothing
        case .confirming where !predecessorLives:
            state = .over
            return .serve
        case .greeting, .opening, .confirming: return giveUp("the running process has ended the takeover")
        }
    }

    private mutating func giveUp(_ reason: String) -> Action {
        state = .over
        return .giveUp(reason: reason)
    }
}
