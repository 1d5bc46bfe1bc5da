import Policies
import TestSupport
import Testing

@Suite("Moved conversations are remembered, within bounds")
struct StickyRoutesTests {
    private let start = ContinuousClock.now

    private static func digest(_ number: Int) -> StableDigest {
        StableDigest(high: UInt64(number), low: ~UInt64(number))
    }

    private static func target(_ name: Int) -> Target { Target(model: "m\(name)", upstream: "litellm") }

    @Test("a conversation stays where it was moved, until it returns")
    func movesAndReturns() {
        var routes = StickyRoutes()
        #expect(routes.route(of: Self.digest(1)) == nil)

        routes.moved(Self.digest(1), to: Self.target(1), until: start)
        #expect(routes.route(of: Self.digest(1)) == StickyRoute(target: Self.target(1), until: start))
        #expect(routes.route(of: Self.digest(2)) == nil)

        routes.returned(Self.digest(1))
        routes.returned(Self.digest(2))
        #expect(routes.route(of: Self.digest(1)) == nil)
        #expect(routes.count == 0)
    }

    @Test("its time is counted from the move, and anew from a move to another fallback")
    func firstUntilStays() {
        var routes = StickyRoutes()
        routes.moved(Self.digest(1), to: Self.target(1), until: start)

        routes.moved(Self.digest(1), to: Self.target(1), until: start + .seconds(9))
        #expect(routes.route(of: Self.digest(1))?.until == start)

        routes.moved(Self.digest(1), to: Self.target(2), until: start + .seconds(9))
        #expect(
            routes.route(of: Self.digest(1))
                == StickyRoute(target: Self.target(2), until: start + .seconds(9))
        )
    }

    @Test("at capacity the one that was written longest ago goes, even if its time was kept")
    func oldestOut() {
        var routes = StickyRoutes(capacity: 2)
        routes.moved(Self.digest(1), to: Self.target(1), until: start)
        routes.moved(Self.digest(2), to: Self.target(1), until: start)
        routes.moved(Self.digest(1), to: Self.target(1), until: start)

        routes.moved(Self.digest(3), to: Self.target(1), until: start)

        #expect((1...3).map { routes.route(of: Self.digest($0)) != nil } == [true, false, true])
        #expect(routes.count == 2)
    }

    @Test("it agrees with a plain list in any run of writes", arguments: 0..<100)
    func anyRun(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let capacity = Int.random(in: 1...8, using: &random)
        var routes = StickyRoutes(capacity: capacity)
        var plain: [(number: Int, route: StickyRoute)] = []

        for step in 0..<300 {
            let number = Int.random(in: 0..<12, using: &random)
            let before = plain.firstIndex { $0.number == number }.map { plain.remove(at: $0).route }
            if Int.random(in: 0..<4, using: &random) == 0 {
                routes.returned(Self.digest(number))
            } else {
                let target = Self.target(Int.random(in: 0..<2, using: &random))
                let until = start + .seconds(step)
                routes.moved(Self.digest(number), to: target, until: until)
                let new = StickyRoute(target: target, until: until)
                plain.append((number, before.flatMap { $0.target == target ? $0 : nil } ?? new))
                if plain.count > capacity { plain.removeFirst() }
            }

            #expect(routes.count == plain.count)
            for number in 0..<12 {
                #expect(
                    routes.route(of: Self.digest(number)) == plain.first { $0.number == number }?.route
                )
            }
        }
    }
}
