internal import Glibc

/// One header field, as places in the head.
public struct HeaderField: Equatable, Sendable {
    public var header: HeaderName
    /// Whether it concerns this connection only, by its name or because `Connection` names it.
    public var isHopByHop: Bool
    /// Start of the line; the next line starts at ``end``.
    public var start: Int
    public var nameEnd: Int
    /// Without surrounding white space.
    public var value: Range<Int>
    public var end: Int

    public var name: Range<Int> { start..<nameEnd }
}

/// The field lines of a head and what they say about framing and the connection.
struct HeadFields {
    var fields: [HeaderField] = []
    var contentLength: Int?
    var isChunked = false
    var hasTransferEncoding = false
    var saysClose = false
    var saysKeepAlive = false
    var saysUpgrade = false
    var hosts = 0

    /// Reads the field lines from `position` up to the empty line that ends the head.
    init(reading head: UnsafeRawBufferPointer, from position: Int) throws(HeadError) {
        guard let base = head.baseAddress else { throw .syntax("an empty head") }
        // Larger arrays leave the allocator's fast path; few heads have more fields.
        fields.reserveCapacity(16)
        var position = position
        let end = head.count - 2
        while position < end {
            guard let found = memchr(base + position, 0x0A, head.count - position) else {
                throw .syntax("a line without an end")
            }
            let next = UnsafeRawPointer(found) - base + 1
            try append(fieldLine(in: head, from: position, to: next), of: head)
            position = next
        }
        if hasTransferEncoding, contentLength != nil {
            throw .syntax("both Content-Length and Transfer-Encoding")
        }
    }

    private func fieldLine(
        in head: UnsafeRawBufferPointer,
        from start: Int,
        to next: Int
    ) throws(HeadError) -> HeaderField {
        var nameEnd = start
        while isToken(head[nameEnd]) { nameEnd += 1 }
        guard head[nameEnd] == 0x3A, nameEnd > start else {
            let folded = head[start] == 0x20 || head[start] == 0x09
            throw folded ? .syntax("a folded header line") : .syntax("a bad header name")
        }
        var low = nameEnd + 1
        var high = next - 2
        while low < high, head[low] == 0x20 || head[low] == 0x09 { low += 1 }
        while low < high, head[high - 1] == 0x20 || head[high - 1] == 0x09 { high -= 1 }
        let name = HeaderName.of(head.slice(start..<nameEnd))
        return HeaderField(
            header: name,
            isHopByHop: name.isHopByHop,
            start: start,
            nameEnd: nameEnd,
            value: low..<high,
            end: next
        )
    }

    private mutating func append(_ field: HeaderField, of head: UnsafeRawBufferPointer) throws(HeadError) {
        fields.append(field)
        switch field.header {
        case .contentLength: try readLength(head.slice(field.value))
        case .transferEncoding: try readTransferEncoding(head.slice(field.value))
        case .connection: readConnection(head.slice(field.value), of: head)
        case .host: hosts += 1
        default: break
        }
    }

    private mutating func readLength(_ value: UnsafeRawBufferPointer) throws(HeadError) {
        guard contentLength == nil else { throw .syntax("more than one Content-Length") }
        // 18 digits hold every size there is and cannot overflow.
        guard !value.isEmpty, value.count <= 18 else { throw .syntax("a bad Content-Length") }
        var length = 0
        for byte in value {
            guard byte &- 0x30 < 10 else { throw .syntax("a bad Content-Length") }
            length = length * 10 + Int(byte - 0x30)
        }
        contentLength = length
    }

    private mutating func readTransferEncoding(_ value: UnsafeRawBufferPointer) throws(HeadError) {
        guard !hasTransferEncoding else { throw .syntax("more than one Transfer-Encoding") }
        hasTransferEncoding = true
        guard value.equalsIgnoringCase("chunked") else { throw .unknownTransferCoding }
        isChunked = true
    }

    private mutating func readConnection(_ value: UnsafeRawBufferPointer, of head: UnsafeRawBufferPointer) {
        // Split by hand: `split` allocates, and this runs for every message.
        var start = 0
        while start <= value.count {
            var end = start
            while end < value.count, value[end] != 0x2C { end += 1 }
            readConnectionOption(value.slice(start..<end).trimmed, of: head)
            start = end + 1
        }
    }

    private mutating func readConnectionOption(
        _ option: UnsafeRawBufferPointer,
        of head: UnsafeRawBufferPointer
    ) {
        if option.equalsIgnoringCase("close") {
            saysClose = true
        } else if option.equalsIgnoringCase("keep-alive") {
            saysKeepAlive = true
        } else if option.equalsIgnoringCase("upgrade") {
            saysUpgrade = true
        } else if !option.isEmpty {
            nominated.append(Array(option))
        }
    }

    private var nominated: [[UInt8]] = []

    /// Marks the fields that `Connection` names.
    ///
    /// Framing and `Host` cannot be nominated away: a message without them would mean something else upstream.
    mutating func markNominated(in head: UnsafeRawBufferPointer) {
        guard !nominated.isEmpty else { return }
        for index in fields.indices {
            switch fields[index].header {
            case .contentLength, .host, .transferEncoding: continue
            default: break
            }
            let name = head.slice(fields[index].name)
            if nominated.contains(where: { name.equalsIgnoringCase($0) }) { fields[index].isHopByHop = true }
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func equalsIgnoringCase(_ other: [UInt8]) -> Bool {
        count == other.count && zip(self, other).allSatisfy { lowercase($0) == lowercase($1) }
    }
}

private func lowercase(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
}

/// Whether a byte may stand in a token (RFC 9110, section 5.6.2).
@inline(__always)
func isToken(_ byte: UInt8) -> Bool {
    if byte < 64 { return tokenBytesLow & (1 << UInt64(byte)) != 0 }
    return byte < 128 && tokenBytesHigh & (1 << UInt64(byte - 64)) != 0
}

/// The token characters below 64, a bit each: digits and `!#$%&'*+-.`.
private let tokenBytesLow: UInt64 = 0x03FF_6CFA_0000_0000
/// The token characters from 64: letters and ``^_`|~``.
private let tokenBytesHigh: UInt64 = 0x57FF_FFFF_C7FF_FFFE

/// Refuses control characters that no head may hold (RFC 9110, section 5.5).
///
/// Carriage returns are accepted in pairs with line feeds only: the caller has seen that every line feed is
/// preceded by one, so that equal counts leave no other.
///
/// - Complexity: O(*n*), sixteen bytes at a time.
func checkControlCharacters(_ head: UnsafeRawBufferPointer) throws(HeadError) {
    var index = 0
    var lineEnds = 0
    while index + 16 <= head.count {
        let block = head.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)
        guard count(block, &lineEnds) else { throw .syntax("a control character in the head") }
        index += 16
    }
    var rest = SIMD16<UInt8>(repeating: 0x20)
    for place in index..<head.count { rest[place - index] = head[place] }
    guard count(rest, &lineEnds) else { throw .syntax("a control character in the head") }
    if lineEnds != 0 { throw .syntax("a bare carriage return") }
}

/// Adds the line feeds of a block, takes its carriage returns away, and finds other control characters.
///
/// With the types spelled out each operator is one instruction; left to inference the generic operators are
/// chosen, which take the vector apart lane by lane.
///
/// - Returns: false when the block holds a control character other than these two and the tab.
@inline(__always)
private func count(_ block: SIMD16<UInt8>, _ lineEnds: inout Int) -> Bool {
    let controls: SIMDMask<SIMD16<Int8>> = block .< SIMD16<UInt8>(repeating: 0x20)
    let deletes: SIMDMask<SIMD16<Int8>> = block .== SIMD16<UInt8>(repeating: 0x7F)
    let suspects: SIMDMask<SIMD16<Int8>> = controls .| deletes
    guard setBits(suspects) != 0 else { return true }
    let returns: SIMDMask<SIMD16<Int8>> = block .== SIMD16<UInt8>(repeating: 0x0D)
    let feeds: SIMDMask<SIMD16<Int8>> = block .== SIMD16<UInt8>(repeating: 0x0A)
    let tabs: SIMDMask<SIMD16<Int8>> = block .== SIMD16<UInt8>(repeating: 0x09)
    let (returnBits, feedBits) = (setBits(returns), setBits(feeds))
    lineEnds += feedBits - returnBits
    return setBits(suspects) == returnBits + feedBits + setBits(tabs)
}

/// Eight for every lane that is true.
@inline(__always)
private func setBits(_ mask: SIMDMask<SIMD16<Int8>>) -> Int {
    let words = unsafeBitCast(mask, to: SIMD2<UInt64>.self)
    return words[0].nonzeroBitCount + words[1].nonzeroBitCount
}
