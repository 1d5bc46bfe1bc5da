import NIOCore
import NIOEmbedded
import Testing

@testable import Sidecar

@Suite("Large bodies get their room in the order in which they came")
struct BodyRoomTests {
    private let loop = EmbeddedEventLoop()
    private let room = BodyRoom()

    private func claim(_ byteCount: Int, granted: @escaping () -> Void = {}) -> BodyRoom.Claim {
        room.claim(byteCount, of: 4_096, on: loop, granted: granted)
    }

    @Test("at once while there is room, which is three quarters of the limit")
    func atOnce() {
        #expect(claim(2_048).isGranted)
        #expect(claim(1_000).isGranted, "a buffer for it has 1,024 bytes")
        #expect(!claim(1).isGranted)
    }

    @Test("when others leave, and nobody overtakes")
    func order() {
        let first = claim(2_048)
        let large = claim(2_048)
        let small = claim(16)
        #expect(!large.isGranted && !small.isGranted, "the small one would fit, but came later")

        room.release(first)
        loop.run()

        #expect(large.isGranted && small.isGranted)
    }

    @Test("who waits is called once, on its event loop")
    func called() {
        var calls = 0
        let first = claim(2_048)
        let waiting = claim(2_048) { calls += 1 }

        room.release(first)
        #expect(calls == 0)
        loop.run()

        #expect(calls == 1 && waiting.isGranted)
    }

    @Test("one who leaves while waiting makes way")
    func leaving() {
        let first = claim(2_048)
        let leaving = claim(2_048)
        let second = claim(2_048)
        room.release(leaving)

        room.release(first)
        loop.run()

        #expect(!leaving.isGranted && second.isGranted)
        room.release(second)
        #expect(claim(2_048).isGranted, "nothing is left in use")
    }

    @Test("one that is larger than all the room gets it alone")
    func larger() {
        let large = claim(10_000)
        #expect(large.isGranted)
        let small = claim(1)
        #expect(!small.isGranted)

        room.release(large)
        loop.run()

        #expect(small.isGranted)
    }
}
