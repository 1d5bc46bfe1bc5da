internal import Crypto

/// A Shadowsocks connection with an AEAD cipher (SIP004).
///
/// Each direction is `salt | [length(2)+tag | payload+tag]…`; the first payload sent begins with the destination. There is
/// no handshake: a proxy that cannot read what it gets closes, or stays silent.
struct ShadowsocksState: TunnelState {
    /// The two highest bits of a length are reserved.
    static let maxChunk = 0x3FFF
    private static let lengthCount = 2 + ShadowsocksCipher.tagCount

    private enum Inbound {
        case salt
        case length(ShadowsocksStream)
        case chunk(ShadowsocksStream, count: Int)
    }

    private let cipher: ShadowsocksCipher
    private let masterKey: SymmetricKey
    private let salt: [UInt8]
    /// The destination, until it is sent.
    private var header: [UInt8]
    private var isSaltSent = false
    private var outbound: ShadowsocksStream
    private var inbound = Inbound.salt

    /// - Parameter salt: random, of as many bytes as the key.
    /// - Throws: ``RoadFault/refused`` for a destination that cannot be written.
    init(
        _ destination: Destination,
        cipher: ShadowsocksCipher,
        masterKey: SymmetricKey,
        salt: [UInt8]
    ) throws(RoadFault) {
        (self.cipher, self.masterKey, self.salt) = (cipher, masterKey, salt)
        outbound = ShadowsocksStream(cipher, masterKey: masterKey, salt: salt)
        let types = SocksAddress.Types(ipv4: 1, name: 3, ipv6: 4)
        header =
            try SocksAddress.bytes(of: destination.host, types: types)
            + SocksAddress.bytes(ofPort: destination.port)
    }

    var passesInbound: Bool { false }
    var passesOutbound: Bool { false }
    var owesBytes: Bool { !isSaltSent }

    mutating func connected() -> TunnelGreeting { .open }

    // MARK: - From the proxy

    mutating func received(
        _ bytes: UnsafeRawBufferPointer,
        payload: UnsafeMutableRawBufferPointer
    ) throws(RoadFault) -> TunnelProgress {
        var progress = TunnelProgress()
        while try step(bytes, payload, &progress) {}
        return progress
    }

    /// Takes the next unit: salt, length or chunk.
    ///
    /// - Returns: whether it was there as a whole, and had room.
    private mutating func step(
        _ bytes: UnsafeRawBufferPointer,
        _ payload: UnsafeMutableRawBufferPointer,
        _ progress: inout TunnelProgress
    ) throws(RoadFault) -> Bool {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[progress.consumed...])
        switch inbound {
        case .salt:
            guard rest.count >= cipher.keyCount else { return false }
            let salt = Array(rest.prefix(cipher.keyCount))
            inbound = .length(ShadowsocksStream(cipher, masterKey: masterKey, salt: salt))
            progress.consumed += cipher.keyCount
        case .length(var stream):
            guard rest.count >= Self.lengthCount else { return false }
            let count = try Self.length(rest, &stream)
            inbound = .chunk(stream, count: count)
            progress.consumed += Self.lengthCount
        case .chunk(var stream, let count):
            let room = UnsafeMutableRawBufferPointer(rebasing: payload[progress.payloadCount...])
            guard rest.count >= count + ShadowsocksCipher.tagCount, room.count >= count else { return false }
            try Self.open(rest, count, &stream, into: room)
            inbound = .length(stream)
            progress.consumed += count + ShadowsocksCipher.tagCount
            progress.payloadCount += count
        }
        return true
    }

    private static func length(
        _ bytes: UnsafeRawBufferPointer,
        _ stream: inout ShadowsocksStream
    ) throws(RoadFault) -> Int {
        var length: UInt16 = 0
        do {
            let sealed = UnsafeRawBufferPointer(rebasing: bytes[..<lengthCount])
            try withUnsafeMutableBytes(of: &length) { try stream.open(sealed, into: $0) }
        } catch {
            throw .badReply
        }
        let count = Int(UInt16(bigEndian: length))
        guard count <= maxChunk else { throw .badReply }
        return count
    }

    private static func open(
        _ bytes: UnsafeRawBufferPointer,
        _ count: Int,
        _ stream: inout ShadowsocksStream,
        into payload: UnsafeMutableRawBufferPointer
    ) throws(RoadFault) {
        do {
            let sealed = UnsafeRawBufferPointer(rebasing: bytes[..<(count + ShadowsocksCipher.tagCount)])
            try stream.open(sealed, into: payload)
        } catch {
            throw .badReply
        }
    }

    // MARK: - To the proxy

    func sealedCount(_ payloadCount: Int) -> Int {
        let count = payloadCount + header.count
        let chunks = (count + Self.maxChunk - 1) / Self.maxChunk
        return salt.count + count + chunks * (Self.lengthCount + ShadowsocksCipher.tagCount)
    }

    mutating func seal(_ payload: UnsafeRawBufferPointer, into wire: UnsafeMutableRawBufferPointer) -> Int {
        var (end, taken) = (0, 0)
        if !isSaltSent {
            isSaltSent = true
            wire.copyBytes(from: salt)
            // The destination and the first payload share a chunk, as everybody sends them.
            taken = min(payload.count, Self.maxChunk - header.count)
            let first = header + payload[..<taken]
            header = []
            end = salt.count
            first.withUnsafeBytes {
                end += sealChunk($0, into: UnsafeMutableRawBufferPointer(rebasing: wire[end...]))
            }
        }
        while taken < payload.count {
            let count = min(payload.count - taken, Self.maxChunk)
            let chunk = UnsafeRawBufferPointer(rebasing: payload[taken..<(taken + count)])
            end += sealChunk(chunk, into: UnsafeMutableRawBufferPointer(rebasing: wire[end...]))
            taken += count
        }
        return end
    }

    private mutating func sealChunk(_ chunk: UnsafeRawBufferPointer, into wire: UnsafeMutableRawBufferPointer)
        -> Int
    {
        let length = UInt16(chunk.count).bigEndian
        do {
            try withUnsafeBytes(of: length) { try outbound.seal($0, into: wire) }
            try outbound.seal(chunk, into: UnsafeMutableRawBufferPointer(rebasing: wire[Self.lengthCount...]))
        } catch {
            // Keys and nonces have the lengths that the ciphers ask for, and nothing else can be wrong with them.
            preconditionFailure("a cipher refused to seal: \(error)")
        }
        return Self.lengthCount + chunk.count + ShadowsocksCipher.tagCount
    }
}
