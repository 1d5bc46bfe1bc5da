extension TokenCounter {
    /// - Returns: where it stopped: at the end, or before the first piece when the sink was full.
    @discardableResult
    func encodePrepared<Sink: TokenSink>(
        _ bytes: UnsafeBufferPointer<UInt8>,
        into sink: inout Sink
    ) -> Int {
        guard let start = bytes.baseAddress else { return 0 }
        let text = ClassifiedText(start, count: bytes.count)
        guard Sink.takesCounts else { return encode(text, known: nil, into: &sink) }
        return encoding.vocabulary.caches.withSlots { known in
            encode(text, known: known, into: &sink)
        }
    }

    private func encode<Sink: TokenSink>(
        _ text: ClassifiedText,
        known: PieceSlots?,
        into sink: inout Sink
    ) -> Int {
        var encoder = PieceEncoder(encoding.vocabulary)
        return switch encoding.split {
        case .o200k: encode(text, splitBy: O200kSplitter.self, known, &encoder, into: &sink)
        case .cl100k: encode(text, splitBy: CL100kSplitter.self, known, &encoder, into: &sink)
        case .llama3: encode(text, splitBy: Llama3Splitter.self, known, &encoder, into: &sink)
        case .qwen2: encode(text, splitBy: Qwen2Splitter.self, known, &encoder, into: &sink)
        case .gpt2: encode(text, splitBy: GPT2Splitter.self, known, &encoder, into: &sink)
        case .gemma: encode(text, splitBy: GemmaSplitter.self, known, &encoder, into: &sink)
        }
    }

    /// Takes a block of pieces at once where the rule can tell them, else one.
    private func encode<Rule: Splitter, Sink: TokenSink>(
        _ text: ClassifiedText,
        splitBy rule: Rule.Type,
        _ known: PieceSlots?,
        _ encoder: inout PieceEncoder,
        into sink: inout Sink
    ) -> Int {
        var start = 0
        while start < text.count, !sink.isFull {
            if text.hasBlock(at: start) {
                let block = rule.starts(in: ByteClasses(BitPlanes(text.bytes + start)))
                start = encode(block, of: text, from: start, known, &encoder, into: &sink)
                guard block.isCut, !sink.isFull else { continue }
            }
            let end = rule.pieceEnd(in: text, from: start)
            let readable = text.count &- start
            add(text.bytes + start, count: end &- start, readable: readable, known, &encoder, into: &sink)
            start = end
        }
        return start
    }

    /// Adds the tokens of the pieces that end in a block, until the sink is full.
    ///
    /// - Returns: where the first piece starts that was not added.
    @inline(__always)
    private func encode<Sink: TokenSink>(
        _ block: BlockStarts,
        of text: ClassifiedText,
        from first: Int,
        _ known: PieceSlots?,
        _ encoder: inout PieceEncoder,
        into sink: inout Sink
    ) -> Int {
        var start = first
        var left = block.bits
        while left != 0, !sink.isFull {
            let end = first &+ left.trailingZeroBitCount
            left &= left &- 1
            let piece = text.bytes + start
            add(piece, count: end &- start, readable: BlockStarts.readable, known, &encoder, into: &sink)
            start = end
        }
        return start
    }

    @inline(__always)
    private func add<Sink: TokenSink>(
        _ piece: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        _ known: PieceSlots?,
        _ encoder: inout PieceEncoder,
        into sink: inout Sink
    ) {
        if Sink.takesCounts, let known {
            sink.add(count: known.tokens(of: piece, count: count, readable: readable, by: &encoder))
        } else {
            encoder.encode(piece, count: count, readable: readable, into: &sink)
        }
    }
}
