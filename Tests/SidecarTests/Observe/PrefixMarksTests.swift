import Policies
import TestSupport
import Testing

@testable import Sidecar

@Suite("How much of an earlier text another begins with")
struct PrefixMarksTests {
    private static let secret: UInt64 = 0x5EED

    private func text(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SplitMix(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: 0x20...0x7E, using: &random) }
    }

    private func kept(_ earlier: [UInt8], in later: [UInt8]) -> Int {
        let marks = earlier.withUnsafeBytes {
            PrefixMarks.make(of: $0, secret: Self.secret, comparedWith: nil).marks
        }
        return later.withUnsafeBytes {
            PrefixMarks.make(of: $0, secret: Self.secret, comparedWith: marks).keptBytes
        }
    }

    /// Around the ends of blocks, of what is hashed whole, and of each distance of marks.
    private static let lengths = [
        1, 7, 1023, 1024, 1025, 2048, 8191, 8192, 8193, 65_535, 65_536, 65_537, 66_560, 131_073,
        300_000,
    ]

    @Test("a text that only goes on is kept whole, to the byte", arguments: lengths)
    func grows(length: Int) {
        let earlier = text(length, seed: UInt64(length))

        for added in [0, 1, 500, 3000] {
            #expect(kept(earlier, in: earlier + text(added, seed: 1)) == length)
        }
    }

    @Test("what is put in or left out is found, down to a KiB or a thirty-second", arguments: lengths)
    func changes(length: Int) {
        let earlier = text(length, seed: UInt64(length))
        let distance = max(1024, length / 32)

        for place in stride(from: 0, to: length, by: max(1, length / 5)) {
            let inserted = earlier[..<place] + text(30, seed: 2) + earlier[place...]
            let shortened = earlier[..<place] + earlier[min(length, place + 40)...]
            // Equal bytes can follow by chance; of a later block only the start is hashed.
            let most = place < 8192 ? place + 8 : place + 1024
            for later in [Array(inserted), Array(shortened)] {
                let found = kept(earlier, in: later)
                #expect(found <= most && found > place - distance)
            }
        }
    }

    @Test(
        "a byte that changes within the first 8 KiB is always found",
        arguments: [0, 1023, 1024, 5000, 8191]
    )
    func oneByte(place: Int) {
        let earlier = text(40_000, seed: 3)
        var later = earlier
        later[place] ^= 1

        #expect(kept(earlier, in: later) <= place)
        #expect(kept(earlier, in: later) > place - 1024)
    }

    @Test("a shorter text keeps at most itself, an empty one nothing")
    func shorter() {
        let earlier = text(5000, seed: 4)

        #expect(kept(earlier, in: Array(earlier.prefix(3000))) == 2048)
        #expect(kept(earlier, in: []) == 0)
        #expect(kept([], in: earlier) == 0)
    }

    @Test("only the first MiB is looked at")
    func bounded() {
        let long = [UInt8](repeating: 0x61, count: 3 << 20)
        let marks = long.withUnsafeBytes {
            PrefixMarks.make(of: $0, secret: Self.secret, comparedWith: nil).marks
        }

        #expect(marks.byteCount == 1 << 20)
        #expect(kept(long, in: long) == 1 << 20)
    }
}

@Suite("What was forwarded last is remembered by conversation")
struct PrefixMemoryTests {
    private let claude = Target(model: "claude", upstream: "litellm")
    private let gemini = Target(model: "gemini", upstream: "litellm")

    private func place(_ number: Int, primary: Target) -> PrefixMemory.Place {
        .init(conversation: StableDigest(high: UInt64(number), low: 0), primary: primary)
    }

    private func share(_ text: String, _ place: PrefixMemory.Place, _ target: Target, _ memory: PrefixMemory)
        -> Double?
    {
        Array(text.utf8).withUnsafeBytes { memory.keptShare(of: $0, at: place, by: target) }
    }

    @Test("the first turn is compared with nothing, the next with the one before it")
    func turns() {
        let memory = PrefixMemory()
        let place = place(1, primary: claude)

        #expect(share("one", place, claude, memory) == nil)
        #expect(share("one, two", place, claude, memory) == 1)
        #expect(share("two", place, claude, memory) == 0)
        #expect(share("two, three", place, claude, memory) == 1)
    }

    @Test(
        "another target has nothing of it, whatever is sent; the same conversation at another model is another"
    )
    func targets() {
        let memory = PrefixMemory()
        #expect(share("one", place(1, primary: claude), claude, memory) == nil)
        #expect(share("one", place(1, primary: claude), gemini, memory) == 0)
        #expect(share("one", place(1, primary: claude), gemini, memory) == 1)
        #expect(share("one", place(1, primary: gemini), gemini, memory) == nil)
        #expect(share("one", place(2, primary: claude), claude, memory) == nil)
    }

    @Test("what was not heard of for two generations is forgotten")
    func bounded() {
        let memory = PrefixMemory(generationSize: 10)
        for number in 0..<11 { _ = share("text", place(number, primary: claude), claude, memory) }

        #expect(share("text", place(0, primary: claude), claude, memory) == 1)
        for number in 20..<40 { _ = share("text", place(number, primary: claude), claude, memory) }
        #expect(share("text", place(5, primary: claude), claude, memory) == nil)
    }
}
