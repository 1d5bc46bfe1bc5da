/// Collects a text in blocks, so that a scalar costs a few stores.
struct UTF8Writer: ~Copyable {
    private static var capacity: Int { 4096 }

    private let block: UnsafeMutablePointer<UInt8>
    private var used = 0
    private var text: [UInt8] = []

    /// - Parameter bytes: the likely length of the text.
    init(expecting bytes: Int) {
        block = .allocate(capacity: Self.capacity)
        text.reserveCapacity(bytes + bytes / 8)
    }

    deinit {
        block.deallocate()
    }

    @inline(__always)
    mutating func write(_ scalar: UInt32) {
        if used > Self.capacity &- 4 { flush() }
        let next = block + used
        if scalar < 0x80 {
            next[0] = UInt8(truncatingIfNeeded: scalar)
            used &+= 1
        } else if scalar < 0x800 {
            next[0] = UInt8(truncatingIfNeeded: 0xC0 | scalar &>> 6)
            next[1] = trailing(scalar)
            used &+= 2
        } else if scalar < 0x1_0000 {
            next[0] = UInt8(truncatingIfNeeded: 0xE0 | scalar &>> 12)
            next[1] = trailing(scalar &>> 6)
            next[2] = trailing(scalar)
            used &+= 3
        } else {
            next[0] = UInt8(truncatingIfNeeded: 0xF0 | scalar &>> 18)
            next[1] = trailing(scalar &>> 12)
            next[2] = trailing(scalar &>> 6)
            next[3] = trailing(scalar)
            used &+= 4
        }
    }

    @inline(__always)
    private func trailing(_ bits: UInt32) -> UInt8 {
        UInt8(truncatingIfNeeded: 0x80 | bits & 0x3F)
    }

    @inline(__always)
    mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) {
        if bytes.count > Self.capacity &- used { flush() }
        guard let start = bytes.baseAddress, bytes.count <= Self.capacity else {
            return text.append(contentsOf: bytes)
        }
        (block + used).update(from: start, count: bytes.count)
        used &+= bytes.count
    }

    /// The text; the writer has none any more.
    mutating func finish() -> [UInt8] {
        flush()
        let whole = text
        text = []
        return whole
    }

    @inline(never)
    private mutating func flush() {
        text.append(contentsOf: UnsafeBufferPointer(start: block, count: used))
        used = 0
    }
}
