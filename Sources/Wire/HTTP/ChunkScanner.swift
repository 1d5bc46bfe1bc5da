/// Follows a chunked body (RFC 9112, section 7.1) to its end, without copying it.
///
/// Strict: sizes are hexadecimal digits only, every line ends with CRLF, and line feeds stand nowhere else in
/// the framing. A sender that breaks this is refused, because the next reader might see other chunks. So are trailers
/// that are no fields, in which a reader that knows no trailers could see another message, and such as would frame the
/// message or say where it goes (RFC 9110, section 6.5.1).
///
///     size --;--> extension --CRLF--> data --CRLF--> size … size 0 --CRLF--> trailers --empty line--> end
public struct ChunkScanner: Sendable {
    public enum Progress: Equatable, Sendable {
        case incomplete
        /// The body ended before this offset of the bytes just given.
        case complete(Int)
        case malformed
    }

    private enum State: UInt8 {
        case sizeStart, size, extensionText, sizeLineFeed, data, dataReturn, dataLineFeed
        case trailerStart, trailerName, trailer, trailerLineFeed, endLineFeed, ended
    }

    /// The most bytes of extensions and trailers that a body may have.
    public static let maxFramingBytes = 16_384

    private var state = State.sizeStart
    private var remaining = 0
    private var digits = 0
    private var framingBytes = 0
    /// Of the name of the trailer that is being read.
    private var nameHash = NameHash()
    /// Where, in the bytes given last, the newest complete chunk ends; 0 when none ended there.
    ///
    /// Before this offset nothing is left open, so that a relay may put a chunk of its own there.
    public private(set) var lastChunkEnd = 0

    public init() {}

    /// Reads on.
    ///
    /// - Parameters:
    ///   - bytes: what arrived next.
    ///   - onData: called with every run of payload bytes, in order; the pointers are valid during the call.
    /// - Complexity: O(chunks + framing bytes): payload bytes are skipped, not looked at.
    public mutating func feed(
        _ bytes: UnsafeRawBufferPointer,
        onData: (UnsafeRawBufferPointer) -> Void
    ) -> Progress {
        var index = 0
        lastChunkEnd = 0
        while index < bytes.count {
            if state == .data {
                let run = min(remaining, bytes.count - index)
                onData(bytes.slice(index..<index + run))
                index += run
                remaining -= run
                if remaining == 0 { state = .dataReturn }
                continue
            }
            guard step(bytes[index]) else { return .malformed }
            index += 1
            if state == .sizeStart { lastChunkEnd = index }
            if state == .ended { return .complete(index) }
        }
        return .incomplete
    }

    /// Reads one byte of the framing; false when it may not stand there.
    @inline(__always)
    private mutating func step(_ byte: UInt8) -> Bool {
        switch state {
        case .sizeStart, .size: return stepInSize(byte)
        case .extensionText:
            guard byte == 0x0D else { return skip(byte) }
            state = .sizeLineFeed
        case .sizeLineFeed: return stepAfterSize(byte)
        case .dataReturn: return expect(byte, 0x0D, then: .dataLineFeed)
        case .dataLineFeed: return expect(byte, 0x0A, then: .sizeStart)
        case .trailerStart:
            guard byte == 0x0D else { return startTrailer(byte) }
            state = .endLineFeed
        case .trailerName: return stepInName(byte)
        case .trailer:
            guard byte == 0x0D else { return skip(byte) }
            state = .trailerLineFeed
        case .trailerLineFeed: return expect(byte, 0x0A, then: .trailerStart)
        case .endLineFeed: return expect(byte, 0x0A, then: .ended)
        case .data, .ended: return false
        }
        return true
    }

    @inline(__always)
    private mutating func stepInSize(_ byte: UInt8) -> Bool {
        if let digit = hexadecimalDigit(byte) {
            // 15 digits cannot overflow; no chunk is larger.
            guard digits < 15 else { return false }
            remaining = remaining << 4 | digit
            digits += 1
            state = .size
            return true
        }
        guard digits > 0 else { return false }
        if byte == 0x0D {
            state = .sizeLineFeed
            return true
        }
        guard byte == 0x3B else { return false }
        state = .extensionText
        return true
    }

    private mutating func stepAfterSize(_ byte: UInt8) -> Bool {
        guard byte == 0x0A else { return false }
        digits = 0
        state = remaining == 0 ? .trailerStart : .data
        return true
    }

    @inline(__always)
    private mutating func expect(_ byte: UInt8, _ expected: UInt8, then next: State) -> Bool {
        guard byte == expected else { return false }
        state = next
        return true
    }

    private mutating func startTrailer(_ byte: UInt8) -> Bool {
        state = .trailerName
        nameHash = NameHash()
        return isToken(byte) && stepInName(byte)
    }

    private mutating func stepInName(_ byte: UInt8) -> Bool {
        if byte == 0x3A {
            state = .trailer
            return !NameHash.ofFraming.contains(nameHash) && skip(byte)
        }
        nameHash.add(byte)
        return isToken(byte) && skip(byte)
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        framingBytes += 1
        let isControl = byte < 0x20 && byte != 0x09 || byte == 0x7F
        return !isControl && framingBytes <= Self.maxFramingBytes
    }
}

/// A hash of a field's name, whatever its case (FNV-1a): the scanner keeps no bytes.
private struct NameHash: Hashable, Sendable {
    private var value: UInt64 = 0xCBF2_9CE4_8422_2325

    /// Of the fields that no trailer may be.
    static let ofFraming: Set<NameHash> = [of("content-length"), of("transfer-encoding"), of("host")]

    private static func of(_ name: String) -> NameHash {
        var hash = NameHash()
        for byte in name.utf8 { hash.add(byte) }
        return hash
    }

    mutating func add(_ byte: UInt8) {
        let lowercased = byte &- 0x41 < 26 ? byte | 0x20 : byte
        value = (value ^ UInt64(lowercased)) &* 0x0000_0100_0000_01B3
    }
}

@inline(__always)
private func hexadecimalDigit(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x30...0x39: Int(byte - 0x30)
    case 0x41...0x46: Int(byte - 0x37)
    case 0x61...0x66: Int(byte - 0x57)
    default: nil
    }
}
