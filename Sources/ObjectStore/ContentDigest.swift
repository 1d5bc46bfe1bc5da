internal import Crypto

/// The SHA-256 of a content.
public struct ContentDigest: Hashable, Sendable {
    /// 32 bytes as big-endian words, so that a digest is kept without an allocation.
    ///
    /// Two pairs and no vector of four: asynchronous functions of Swift 6.3 free what is aligned to 32 bytes wrongly.
    private let high: SIMD2<UInt64>
    private let low: SIMD2<UInt64>

    /// The digest of bytes that lie in one piece.
    ///
    /// - Complexity: O(*n*), about 3 ms a megabyte where the processor has no instruction for it.
    public init(of content: UnsafeRawBufferPointer) {
        var hasher = ContentHasher()
        hasher.update(content)
        self = hasher.finalize()
    }

    /// Reads 64 hexadecimal digits.
    ///
    /// - Returns: nil for upper case and every other length.
    public init?(hexadecimal: some StringProtocol) {
        self.init(digits: Array(hexadecimal.utf8.prefix(Self.digitCount + 1))[...])
    }

    init?(digits: ArraySlice<UInt8>) {
        guard digits.count == Self.digitCount, let bytes = Hexadecimal.bytes(digits) else { return nil }
        self.init(bytes)
    }

    /// - Precondition: 32 bytes.
    fileprivate init(_ bytes: some Sequence<UInt8>) {
        var (high, low) = (SIMD2<UInt64>(), SIMD2<UInt64>())
        for (place, byte) in bytes.enumerated() {
            let word = place / 8 % 2
            if place < 16 {
                high[word] = high[word] << 8 | UInt64(byte)
            } else {
                low[word] = low[word] << 8 | UInt64(byte)
            }
        }
        (self.high, self.low) = (high, low)
    }

    /// 64 lower-case digits.
    public var hexadecimal: String { Hexadecimal.text(bytes) }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        (0..<32).map { place in
            let word = (place < 16 ? high : low)[place / 8 % 2]
            return UInt8(truncatingIfNeeded: word >> UInt64(56 - place % 8 * 8))
        }
    }

    static let digitCount = 64
}

/// Computes a ``ContentDigest`` from pieces, so that a large content need not lie in one.
public struct ContentHasher: Sendable {
    private var state = SHA256()

    /// Nothing added yet.
    public init() {}

    /// Adds the next bytes; how they are cut makes no difference.
    public mutating func update(_ piece: UnsafeRawBufferPointer) {
        state.update(bufferPointer: piece)
    }

    /// The digest of all that was added; more may be added afterwards.
    public func finalize() -> ContentDigest {
        ContentDigest(state.finalize())
    }
}

extension ContentDigest {
    /// The digest of a text's UTF-8.
    public init(ofText text: String) {
        var text = text
        self = text.withUTF8 { ContentDigest(of: UnsafeRawBufferPointer($0)) }
    }
}
