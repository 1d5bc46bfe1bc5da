/// The first bytes of a file, read with care: what lies beyond them is nil.
struct HeaderBytes {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    func byte(_ offset: Int) -> Int? {
        offset < bytes.count ? Int(bytes[offset]) : nil
    }

    /// A little-endian number.
    func little(_ offset: Int, bytes width: Int) -> Int? {
        guard offset + width <= bytes.count else { return nil }
        return (0..<width).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    /// A big-endian number.
    func big(_ offset: Int, bytes width: Int) -> Int? {
        guard offset + width <= bytes.count else { return nil }
        return (0..<width).reduce(0) { $0 << 8 | Int(bytes[offset + $1]) }
    }

    func has(_ text: StaticString, at offset: Int = 0) -> Bool {
        guard offset + text.utf8CodeUnitCount <= bytes.count else { return false }
        return (0..<text.utf8CodeUnitCount).allSatisfy { bytes[offset + $0] == text.utf8Start[$0] }
    }
}
