/// The header of a WebSocket frame from a server (RFC 6455, section 5.2), which never masks.
struct WebSocketFrame: Equatable {
    enum Kind: UInt8 {
        case continuation = 0
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        var isControl: Bool { rawValue >= 8 }
    }

    let kind: Kind
    let isFinal: Bool
    let payloadCount: Int
    let headerCount: Int

    /// Reads a header from the start of what has come.
    ///
    /// Text frames are refused like every other form that a proxy has no reason to send, lengths that are not written in
    /// the fewest bytes too.
    ///
    /// - Returns: nil as long as it is not complete.
    init?(_ bytes: UnsafeRawBufferPointer) throws(RoadFault) {
        guard bytes.count >= 1 else { return nil }
        guard bytes[0] & 0x70 == 0, let kind = Kind(rawValue: bytes[0] & 0x0F) else { throw .badReply }
        (self.kind, isFinal) = (kind, bytes[0] & 0x80 != 0)
        guard !kind.isControl || isFinal else { throw .badReply }
        guard bytes.count >= 2 else { return nil }
        // The mask bit makes it more than 127.
        switch bytes[1] {
        case 0...125:
            (payloadCount, headerCount) = (Int(bytes[1]), 2)
        case 126, 127:
            guard !kind.isControl else { throw .badReply }
            guard let length = try Self.extendedLength(bytes) else { return nil }
            (payloadCount, headerCount) = (length, bytes[1] == 126 ? 4 : 10)
        default:
            throw .badReply
        }
    }

    private static func extendedLength(_ bytes: UnsafeRawBufferPointer) throws(RoadFault) -> Int? {
        let isShort = bytes[1] == 126
        guard bytes.count >= (isShort ? 4 : 10) else { return nil }
        if isShort {
            let length = Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            guard length >= 126 else { throw .badReply }
            return length
        }
        let length = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
        guard length > UInt64(UInt16.max), length <= UInt64(Int64.max) else { throw .badReply }
        return Int(length)
    }

    /// Bytes of the longest header of a client's frame.
    static let maxHeaderCount = 14

    /// Writes a final frame of a client: header, mask, masked payload.
    ///
    /// - Parameters:
    ///   - mask: not to be guessed by those who choose the payload (section 10.3).
    ///   - wire: room for ``maxHeaderCount`` bytes and the payload.
    /// - Returns: the number of bytes written.
    static func write(
        _ kind: Kind,
        _ payload: UnsafeRawBufferPointer,
        mask: UInt32,
        into wire: UnsafeMutableRawBufferPointer
    ) -> Int {
        wire[0] = 0x80 | kind.rawValue
        var end = 2
        switch payload.count {
        case 0...125:
            wire[1] = 0x80 | UInt8(payload.count)
        case 126...Int(UInt16.max):
            wire[1] = 0x80 | 126
            wire.storeBytes(of: UInt16(payload.count).bigEndian, toByteOffset: 2, as: UInt16.self)
            end = 4
        default:
            wire[1] = 0x80 | 127
            wire.storeBytes(of: UInt64(payload.count).bigEndian, toByteOffset: 2, as: UInt64.self)
            end = 10
        }
        wire.storeBytes(of: mask, toByteOffset: end, as: UInt32.self)
        copy(payload, masked: mask, into: UnsafeMutableRawBufferPointer(rebasing: wire[(end + 4)...]))
        return end + 4 + payload.count
    }

    /// Copies with the mask laid over, eight bytes at a time.
    private static func copy(
        _ payload: UnsafeRawBufferPointer,
        masked mask: UInt32,
        into wire: UnsafeMutableRawBufferPointer
    ) {
        // Both words as they lie in memory, so that the order of bytes is the same on every machine.
        let wide = UInt64(mask) << 32 | UInt64(mask)
        var place = 0
        while place + 8 <= payload.count {
            let word = payload.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            wire.storeBytes(of: word ^ wide, toByteOffset: place, as: UInt64.self)
            place += 8
        }
        let bytes = withUnsafeBytes(of: mask) { ($0[0], $0[1], $0[2], $0[3]) }
        for place in place..<payload.count {
            let byte = [bytes.0, bytes.1, bytes.2, bytes.3][place % 4]
            wire[place] = payload[place] ^ byte
        }
    }
}
