internal import Telemetry

/// The spans of one event loop until they are handed over.
struct SpanBuffer {
    let pipeline: SpanPipeline
    private var block = SpanBlock()

    init(_ pipeline: SpanPipeline) {
        self.pipeline = pipeline
    }

    /// Lets `write` append one span.
    mutating func append(_ write: (inout [UInt8]) -> Void) {
        write(&block.bytes)
        block.count += 1
        if block.count >= pipeline.limits.mostInBlock { handOver() }
    }

    /// Hands over what there is, and lets the pipeline see that time has passed.
    mutating func flush() {
        if block.count > 0 { handOver() } else { pipeline.tick() }
    }

    private mutating func handOver() {
        pipeline.add(block.compacted())
        block.bytes.removeAll(keepingCapacity: true)
        block.count = 0
    }
}
