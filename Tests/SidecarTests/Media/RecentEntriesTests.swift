import Testing

@testable import Sidecar

@Suite("A bounded memory keeps what is asked for")
struct RecentEntriesTests {
    @Test("it never holds more than it may, and what was used last is there", arguments: [2, 3, 10, 64])
    func bounded(most: Int) {
        var entries = RecentEntries<Int, Int>(most: most)
        for number in 0..<1_000 {
            entries.insert(-number, for: number)
            #expect(entries.value(of: number) == -number)
        }
        // Asking moves an entry, so each key is asked for in a copy.
        let kept = (0..<1_000).count { number in
            var copy = entries
            return copy.value(of: number) != nil
        }
        #expect((1...most).contains(kept))
    }

    @Test("what is asked for again and again outlives all others")
    func kept() {
        var entries = RecentEntries<Int, Int>(most: 10)
        entries.insert(7, for: -1)
        for number in 0..<1_000 {
            #expect(entries.value(of: -1) == 7)
            entries.insert(number, for: number)
        }
    }

    @Test("what was removed is gone from both generations, and a new value replaces the old one")
    func removed() {
        var entries = RecentEntries<Int, Int>(most: 4)
        for number in 0..<3 { entries.insert(number, for: number) }
        entries.insert(10, for: 0)
        #expect(entries.value(of: 0) == 10)
        for number in 0..<3 { entries.remove(number) }

        #expect((0..<3).allSatisfy { entries.value(of: $0) == nil })
    }
}
