import Testing

@testable import Sidecar

@Suite("A takeover gives the sockets to one process or leaves them with the other")
struct TakeoverStateTests {
    private static let listeners = [TakeoverMessageTests.gateway]

    // MARK: - The one that serves so far

    @Test("a successor that says hello and ready releases the predecessor")
    func releases() {
        var state = PredecessorState()

        #expect(state.received(.hello(version: 1)) == .offer)
        #expect(state.received(.ready(Self.listeners)) == .release(Self.listeners))
        #expect(state.ended() == .nothing)
        #expect(state.received(.ready(Self.listeners)) == .nothing)
    }

    @Test(
        "a successor that leaves before it is ready changes nothing",
        arguments: [[], [TakeoverMessage.hello(version: 1)]]
    )
    func servesOn(messages: [TakeoverMessage]) {
        var state = PredecessorState()
        for message in messages { _ = state.received(message) }

        #expect(state.ended() == .serveOn)
        #expect(state.received(.ready(Self.listeners)) == .nothing)
    }

    @Test("a successor of another version is told so")
    func otherVersion() {
        var state = PredecessorState()

        let action = state.received(.hello(version: 2))

        #expect(action == .refuse(reason: "it speaks version 1 of the takeover, not 2"))
        #expect(state.received(.hello(version: 1)) == .nothing)
        #expect(state.ended() == .nothing)
    }

    @Test(
        "a message out of turn ends it",
        arguments: [
            [.ready([])], [.offer([])], [.done], [.refused(reason: "")],
            [.hello(version: 1), .hello(version: 1)], [.hello(version: 1), .done],
            [.hello(version: 1), .offer([])], [.hello(version: 1), .refused(reason: "")],
        ] as [[TakeoverMessage]]
    )
    func outOfTurn(messages: [TakeoverMessage]) {
        var state = PredecessorState()

        let actions = messages.map { state.received($0) }

        #expect(actions.last == .refuse(reason: "the message was out of turn"))
        #expect(state.received(.ready(Self.listeners)) == .nothing)
    }

    // MARK: - The one that is to serve from now on

    /// A successor that has got as far as a number of steps.
    private func successor(steps: Int) -> SuccessorState {
        var state = SuccessorState()
        if steps > 0 { _ = state.received(.offer(Self.listeners)) }
        if steps > 1 { _ = state.opened() }
        return state
    }

    @Test("it opens what it is offered, says so, and serves when the other has stopped")
    func serves() {
        var state = SuccessorState()

        #expect(state.received(.offer(Self.listeners)) == .open(Self.listeners))
        #expect(state.opened() == .announce)
        #expect(state.received(.done) == .serve)
        #expect(state.ended(predecessorLives: true) == .nothing)
        #expect(state.received(.done) == .nothing)
        #expect(state.opened() == .nothing)
    }

    @Test("it gives up when the other refuses", arguments: 0...2)
    func refused(steps: Int) {
        var state = successor(steps: steps)

        let action = state.received(.refused(reason: "not now"))

        #expect(action == .giveUp(reason: "the running process refuses: not now"))
        #expect(state.received(.done) == .nothing)
    }

    @Test(
        "an end without a word lets it serve only if it has said that it is ready and the other is dead",
        arguments: [
            (0, true, false), (0, false, false), (1, true, false), (1, false, false), (2, true, false),
            (2, false, true),
        ]
    )
    func ended(steps: Int, predecessorLives: Bool, serves: Bool) {
        var state = successor(steps: steps)

        let action = state.ended(predecessorLives: predecessorLives)

        let givesUp = SuccessorState.Action.giveUp(reason: "the running process has ended the takeover")
        #expect(action == (serves ? .serve : givesUp))
    }

    @Test(
        "a message out of turn makes it give up",
        arguments: [
            (0, .done), (0, .ready([])), (0, .hello(version: 1)), (1, .offer([])), (1, .done),
            (2, .offer([])),
            (2, .hello(version: 1)),
        ] as [(Int, TakeoverMessage)]
    )
    func outOfTurn(steps: Int, message: TakeoverMessage) {
        var state = successor(steps: steps)

        let action = state.received(message)

        #expect(action == .giveUp(reason: "the running process said something out of turn"))
        #expect(state.opened() == .nothing)
    }
}
