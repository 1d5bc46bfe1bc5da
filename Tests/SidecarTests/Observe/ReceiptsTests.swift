import Policies
import Testing

@testable import Sidecar

@Suite("The newest receipts are kept")
struct ReceiptsTests {
    private let receipts = Receipts()

    private func keep(_ id: String, messages: Int = 2) {
        let clip = ClipReceipt(
            dropped: messages / 2,
            kept: messages - messages / 2,
            before: 9,
            after: 4,
            budget: 5
        )
        receipts.keep(Receipt(clip, requestID: id, target: Target(model: "m", upstream: "u")))
    }

    @Test("a thousand, the oldest go first")
    func bounded() {
        for number in 0..<2_500 { keep("\(number)") }

        #expect(receipts["1499"] == nil && receipts["1500"] != nil && receipts["2499"] != nil)
    }

    @Test("fewer when they are long, but always the newest")
    func long() {
        for number in 0..<10 { keep("\(number)", messages: 90_000) }

        #expect(receipts["7"] == nil && receipts["8"] != nil && receipts["9"] != nil)
    }

    @Test("a second one of the same request replaces the first")
    func replaced() {
        keep("a", messages: 2)
        keep("a", messages: 4)

        #expect(receipts["a"]?.messages.map(\.fate) == [.dropped, .dropped, .kept, .kept])
        #expect(receipts["a"]?.messages.map(\.index) == [0, 1, 2, 3])
    }
}
