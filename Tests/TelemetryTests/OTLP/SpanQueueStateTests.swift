import Testing

@testable import Telemetry

@Suite("Spans wait for a full batch, or for their time, and never without end")
struct SpanQueueStateTests {
    private var queue = SpanQueueState(.init(mostSpans: 10, mostInBatch: 4, delay: .seconds(5)))
    private let start = ContinuousClock.now

    private func block(_ count: Int, _ mark: UInt8 = 0) -> SpanBlock {
        SpanBlock(bytes: [mark], count: count)
    }

    /// Adds blocks, each with its place as its mark, and tells whether a batch is due behind each.
    private mutating func add(_ counts: Int..., after delay: Duration = .zero) -> [Bool] {
        counts.enumerated().map { queue.added(block($1, UInt8($0)), at: start + delay) }
    }

    private mutating func batch(after delay: Duration = .zero) -> [SpanBlock] {
        queue.batch(at: start + delay)
    }

    @Test("a full batch is due at once")
    mutating func full() {
        let isDue = add(3, 1)

        let batch = batch()

        #expect(isDue == [false, true])
        #expect(batch == [block(3, 0), block(1, 1)])
        #expect(queue.count == 0)
    }

    @Test("a part of one is due when the oldest has waited")
    mutating func waited() {
        let isDue = add(1) + add(1, after: .seconds(4))

        #expect(isDue == [false, false])
        #expect(!queue.isDue(at: start + .milliseconds(4999)))
        #expect(queue.isDue(at: start + .seconds(5)))
        let batch = batch(after: .seconds(5))
        #expect(batch.count == 2)
        #expect(!queue.isDue(at: start + .seconds(100)))
    }

    @Test("nothing is taken before it is due")
    mutating func early() {
        _ = add(1)

        let batch = batch()

        #expect(batch.isEmpty && queue.count == 1)
    }

    @Test("one batch is out at a time, and the rest follows")
    mutating func oneOut() {
        _ = add(2, 2, 2, 2)

        let (first, none) = (batch(), batch(after: .seconds(60)))
        queue.batchEnded(lost: 0)
        let second = batch()

        #expect(first == [block(2, 0), block(2, 1)])
        #expect(none.isEmpty)
        #expect(second == [block(2, 2), block(2, 3)])
    }

    @Test("what does not fit is dropped, the newest first, and counted")
    mutating func overflow() {
        _ = add(2, 2, 2, 2, 2, 2)
        #expect(queue.count == 10 && queue.droppedCount == 2)

        let batch = batch()
        _ = add(4)

        #expect(batch == [block(2, 0), block(2, 1)])
        #expect(queue.count == 10 && queue.droppedCount == 2)
        queue.batchEnded(lost: 4)
        #expect(queue.droppedCount == 6)
    }

    @Test("at the end everything is due, batch after batch")
    mutating func ends() {
        _ = add(1, 1, 1)
        #expect(!queue.isDue(at: start))

        queue.ended()

        let batch = batch()
        #expect(batch.count == 3)
        queue.batchEnded(lost: 0)
        #expect(!queue.isDue(at: start))
    }

    @Test("a block that is larger than a batch goes alone")
    mutating func large() {
        _ = add(6, 1)

        let batch = batch()

        #expect(batch == [block(6, 0)])
    }

    @Test(
        "limits that make no sense are put right",
        arguments: [(0, 0, 1, 1, 1), (10, 100, 10, 10, 2), (2048, 512, 2048, 512, 64), (100, 8, 100, 8, 8)]
    )
    func limits(spans: Int, batch: Int, mostSpans: Int, mostInBatch: Int, mostInBlock: Int) {
        let limits = SpanQueueState.Limits(mostSpans: spans, mostInBatch: batch, delay: .zero)

        #expect(limits.mostSpans == mostSpans && limits.mostInBatch == mostInBatch)
        #expect(limits.mostInBlock == mostInBlock)
    }
}
