import TestSupport
import Testing

@testable import TokenCount

@Suite("The end of a text fits its budget")
struct SuffixTests {
    static let cases = Encoding.all.flatMap { encoding in (0..<30).map { (encoding, $0) } }

    @Test("within the limit, and counted as it is by itself", arguments: cases)
    func fits(encoding: Encoding, seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let counter = TokenCounter(encoding)
        let text = SampleText.any(&random)
        let limit = Int.random(in: 0...counter.count(text) + 1, using: &random)

        let suffix = counter.suffix(of: text, atMost: limit)

        #expect(suffix.count <= limit)
        #expect(counter.count(Array(text.utf8.dropFirst(suffix.start))) == suffix.count)
    }

    @Test("the whole, nothing, and the longest that starts with a piece", arguments: Encoding.all)
    func ends(encoding: Encoding) {
        let counter = TokenCounter(encoding)

        #expect(counter.suffix(of: "one two three", atMost: 3) == FittingSuffix(start: 0, count: 3))
        #expect(counter.suffix(of: "one two three", atMost: 2) == FittingSuffix(start: 3, count: 2))
        #expect(counter.suffix(of: "one two three", atMost: 0) == FittingSuffix(start: 13, count: 0))
        #expect(counter.suffix(of: "", atMost: 5) == FittingSuffix(start: 0, count: 0))
    }
}
