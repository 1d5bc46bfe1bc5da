/// Puts the changing parts of a text into a normal form and takes the others as they are.
///
/// Decomposed scalars are gathered up to the next one that nothing before it can join; only these few are ordered
/// and composed, where they lie. Owns that memory and reuses it.
struct Normalizer: ~Copyable {
    private let form: NormalForm
    private let table = NormalizationTable()
    private let decompositions: DecompositionIndex
    private let compositions = CompositionIndex.shared
    private var pending: UnsafeMutablePointer<DecomposedScalar>
    private var capacity = 64
    private var count = 0
    private var isOrdered = true
    private var text: UTF8Writer

    /// - Parameter bytes: the likely length of the normal form.
    init(form: NormalForm, expecting bytes: Int) {
        self.form = form
        decompositions = form == .composed ? .composed : .compatible
        pending = .allocate(capacity: capacity)
        text = UTF8Writer(expecting: bytes)
    }

    deinit {
        pending.deallocate()
    }

    /// Takes bytes as they are.
    @inline(__always)
    mutating func keep(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) {
        if !bytes.isEmpty { text.write(UnsafeBufferPointer(rebasing: bytes)) }
    }

    /// Takes the scalar at an offset and those after it that may change.
    ///
    /// - Returns: where they end.
    mutating func normalize(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var (scalar, at) = bytes.scalar(at: start)
        add(scalar, table.unit(scalar, in: form))
        while at < bytes.count {
            let end: Int
            (scalar, end) = bytes.scalar(at: at)
            let unit = table.unit(scalar, in: form)
            guard unit.mayChange else { break }
            add(scalar, unit)
            at = end
        }
        flush()
        return at
    }

    /// The text; the normalizer has none any more.
    mutating func finish() -> [UInt8] {
        text.finish()
    }

    /// Adds the decomposition of a scalar, which is `unit` when it has none.
    @inline(__always)
    private mutating func add(_ scalar: UInt32, _ unit: DecomposedScalar) {
        if let letters = Hangul.decomposition(of: scalar) {
            add(table.unit(letters.lead, in: form))
            add(table.unit(letters.vowel, in: form))
            if let tail = letters.tail { add(table.unit(tail, in: form)) }
        } else if let place = decompositions.place(of: scalar) {
            for part in table.scalars(at: place) {
                add(table.unit(part, in: form))
            }
        } else {
            add(unit)
        }
    }

    @inline(__always)
    private mutating func add(_ unit: DecomposedScalar) {
        if !unit.mayChange {
            flush()
        } else if count > 0, unit.order > 0, unit.order < pending[count &- 1].order {
            isOrdered = false
        }
        if count == capacity { grow() }
        pending[count] = unit
        count &+= 1
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<DecomposedScalar>.allocate(capacity: 2 * capacity)
        larger.update(from: pending, count: count)
        pending.deallocate()
        pending = larger
        capacity *= 2
    }

    /// Writes what was gathered in its normal form.
    @inline(__always)
    private mutating func flush() {
        if count > 1 {
            if !isOrdered { orderMarks() }
            compose()
        }
        for i in 0..<count {
            text.write(pending[i].scalar)
        }
        count = 0
        isOrdered = true
    }

    /// Puts each run of marks into the order of their classes, those of one class as they stand.
    private func orderMarks() {
        var start = 0
        while start < count {
            var end = start
            while end < count, pending[end].order > 0 { end &+= 1 }
            MarkOrder.sort(UnsafeMutableBufferPointer(start: pending + start, count: end &- start))
            start = end &+ 1
        }
    }

    /// Joins each starter with what it can take (Unicode 16, section 3.11, D117).
    private mutating func compose() {
        var kept = 0
        var starter = -1
        var last: UInt32 = 0
        for i in 0..<count {
            let unit = pending[i]
            if unit.mayChange, starter >= 0, starter == kept &- 1 || last < unit.order,
                let joined = composition(of: pending[starter].scalar, unit.scalar)
            {
                pending[starter] = DecomposedScalar(starter: joined)
                continue
            }
            if unit.order == 0 { starter = kept }
            last = unit.order
            pending[kept] = unit
            kept &+= 1
        }
        count = kept
    }

    @inline(__always)
    private func composition(of first: UInt32, _ second: UInt32) -> UInt32? {
        Hangul.composition(of: first, second) ?? compositions.composition(of: first, second)
    }
}
