/// One change to a document: a span of its bytes and what stands there afterwards.
public struct Splice: Equatable, Sendable {
    /// Offsets in the document as it was received; empty for an insertion.
    public var range: Range<Int>
    /// Empty for a deletion.
    public var replacement: [UInt8]

    /// Replaces a span by bytes.
    public init(_ range: Range<Int>, with replacement: [UInt8]) {
        self.range = range
        self.replacement = replacement
    }

    /// Joins the edits of several hands into one list in document order.
    ///
    /// What is deleted or written anew needs no other change, so a splice inside the span of another is dropped. Of
    /// several splices on one span the last counts. Insertions at one offset all stay, in the order given, and before the
    /// splice that replaces what follows.
    ///
    /// - Precondition: no two splices overlap in part.
    /// - Complexity: O(*n* log *n*) in the number of splices.
    public static func merged(_ lists: [[Splice]]) -> [Splice] {
        let all = lists.flatMap(\.self)
        // Most requests have one edit or none.
        guard all.count > 1 else { return all }
        let ordered = all.enumerated().sorted { a, b in
            if a.element.range.lowerBound != b.element.range.lowerBound {
                return a.element.range.lowerBound < b.element.range.lowerBound
            }
            if a.element.range.isEmpty != b.element.range.isEmpty { return a.element.range.isEmpty }
            if a.element.range.upperBound != b.element.range.upperBound {
                return a.element.range.upperBound > b.element.range.upperBound
            }
            return a.offset < b.offset
        }
        var merged: [Splice] = []
        merged.reserveCapacity(ordered.count)
        for (_, splice) in ordered { splice.join(&merged) }
        return merged
    }

    private func join(_ merged: inout [Splice]) {
        guard let last = merged.last else {
            merged.append(self)
            return
        }
        if range.lowerBound >= last.range.upperBound {
            merged.append(self)
        } else if range == last.range {
            merged[merged.count - 1] = self
        } else {
            precondition(
                range.upperBound <= last.range.upperBound,
                "splices \(last.range) and \(range) overlap"
            )
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The document with every splice applied.
    ///
    /// Bytes outside the splices are copied as they are: a body is never decoded and encoded again, so
    /// unknown fields, the spelling of numbers and the order of keys survive.
    ///
    /// - Precondition: `splices` are ascending, do not overlap and lie within the document.
    /// - Complexity: O(*n* + *m*) in the sizes of document and replacements; one allocation.
    public func applying(_ splices: [Splice]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: splicedCount(splices)) { output, written in
            let output = UnsafeMutableRawBufferPointer(output)
            var read = 0
            for splice in splices {
                precondition(splice.range.lowerBound >= read, "splices are not in document order")
                output.append(self[read..<splice.range.lowerBound], at: &written)
                splice.replacement.withUnsafeBytes { output.append($0[...], at: &written) }
                read = splice.range.upperBound
            }
            output.append(self[read...], at: &written)
        }
    }

    /// How many bytes the document has with every splice applied.
    public func splicedCount(_ splices: [Splice]) -> Int {
        splices.reduce(count) { $0 - $1.range.count + $1.replacement.count }
    }
}

extension [UInt8] {
    /// The document with every splice applied; bytes outside the splices are copied as they are.
    ///
    /// - Precondition: `splices` are ascending, do not overlap and lie within the document.
    /// - Complexity: O(*n* + *m*) in the sizes of document and replacements; one allocation.
    public func applying(_ splices: [Splice]) -> [UInt8] {
        withUnsafeBytes { $0.applying(splices) }
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func append(_ bytes: Slice<UnsafeRawBufferPointer>, at offset: inout Int) {
        let free = UnsafeMutableRawBufferPointer(rebasing: self[offset...])
        free.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes))
        offset += bytes.count
    }
}
