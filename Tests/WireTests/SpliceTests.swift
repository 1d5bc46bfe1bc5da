import TestSupport
import Testing
import Wire

@Suite("Splices change what they name and nothing else")
struct SpliceTests {
    static func splice(_ range: Range<Int>, _ text: String) -> Splice {
        Splice(range, with: Array(text.utf8))
    }

    static let rows: [(splices: [Splice], result: String)] = [
        ([], "0123456789"),
        ([splice(0..<0, "a")], "a0123456789"),
        ([splice(10..<10, "a")], "0123456789a"),
        ([splice(2..<5, "")], "0156789"),
        ([splice(2..<5, "xy"), splice(5..<6, "z")], "01xyz6789"),
        ([splice(0..<10, "")], ""),
        ([splice(3..<3, "a"), splice(3..<3, "b"), splice(3..<4, "c")], "012abc456789"),
    ]

    @Test("applies them in order", arguments: rows)
    func applies(splices: [Splice], result: String) {
        let document = Array("0123456789".utf8)

        #expect(document.applying(splices) == Array(result.utf8))
        #expect(document.withUnsafeBytes { $0.splicedCount(splices) } == result.utf8.count)
    }

    static let mergers: [(when: String, lists: [[Splice]], merged: [Splice])] = [
        ("sorted", [[splice(5..<6, "b")], [splice(1..<2, "a")]], [splice(1..<2, "a"), splice(5..<6, "b")]),
        (
            "a change in what is deleted is dropped", [[splice(3..<4, "x")], [splice(2..<6, "")]],
            [splice(2..<6, "")]
        ),
        ("so is one at its start", [[splice(2..<4, "x")], [splice(2..<6, "")]], [splice(2..<6, "")]),
        ("and one at its end", [[splice(4..<6, "x")], [splice(2..<6, "")]], [splice(2..<6, "")]),
        (
            "the last of two on one span counts", [[splice(2..<4, "x")], [splice(2..<4, "y")]],
            [splice(2..<4, "y")]
        ),
        (
            "insertions stay in order, before what follows",
            [[splice(2..<4, "r"), splice(2..<2, "a")], [splice(2..<2, "b")]],
            [splice(2..<2, "a"), splice(2..<2, "b"), splice(2..<4, "r")]
        ),
        (
            "neighbours both stay", [[splice(4..<6, "")], [splice(2..<4, "")]],
            [splice(2..<4, ""), splice(4..<6, "")]
        ),
    ]

    @Test("merges the edits of several hands", arguments: mergers)
    func merges(when: String, lists: [[Splice]], merged: [Splice]) {
        #expect(Splice.merged(lists) == merged, "\(when)")
    }
}
