import TestSupport
import Testing

@testable import Egress

@Suite("Shadowsocks seals and opens as SIP004 says")
struct ShadowsocksStateTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let cipher: ShadowsocksCipher
        let wire: String

        var testDescription: String { cipher.rawValue }
    }

    /// Made with Python's `cryptography` and not with this code.
    ///
    ///     sub = HKDF(SHA1(), n, salt, b"ss-subkey").derive(evp_bytes_to_key(b"correct-horse-battery", n))
    ///     for p in b"\x03\x0bexample.com\x01\xbbhello", b"world":
    ///         for x in pack(">H", len(p)), p: out += AEAD(sub).encrypt(i.to_bytes(12, "little"), x, None); i += 1
    ///
    /// with the salt 00 01 02 …, n bytes long.
    static let vectors = [
        Vector(
            cipher: .aes128GCM,
            wire: """
                000102030405060708090a0b0c0d0e0f992fd90754c24f1d942cf98a31da2c5ef2201314e7eed6e2306f7bddedbc4346096546d4
                18cdba63b673517f3974db3baced273edbad971ac25cfabce8c67ac88a5e897e3eb34b710701005c38ebb5bc09793f2cce71052e
                659dc5ee95
                """
        ),
        Vector(
            cipher: .aes256GCM,
            wire: """
                000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f997de892141fb7e4f677a62db69f73a8ea3bc0ae
                70b6a94b7ab6591869a273512ba6b942eaa191408509a8aee56681ff147b2ef3996909e9de2b040c0553524949bbbebfed6428f5
                ceb7c0d5b4fd9fe29e347716312aed619eeb1baa2b
                """
        ),
        Vector(
            cipher: .chaCha20Poly1305,
            wire: """
                000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f252a7d75076dad6decce626a76f5ca089e0af9d3
                b33b9f1aa3afd9fc79f322ab8b22789550282ce6cdb8dd12a5d9f63b8e4f03b890c2b9983420df98214eef9949f8fb98f34b7092
                e0b8dc0334f034718ae70fcfbcc9e524ac3fd2540c
                """
        ),
    ]

    private static let opened = [3, 11] + Array("example.com".utf8) + [1, 0xBB] + Array("helloworld".utf8)

    private func state(
        _ cipher: ShadowsocksCipher,
        password: String = "correct-horse-battery",
        salt: UInt8 = 0
    ) throws -> ShadowsocksState {
        try ShadowsocksState(
            Destination(host: "example.com", port: 443),
            cipher: cipher,
            masterKey: cipher.masterKey(password: password),
            salt: (0..<UInt8(cipher.keyCount)).map { $0 &+ salt }
        )
    }

    @Test("what is sent is what another implementation makes of it", arguments: vectors)
    func seals(vector: Vector) throws {
        var state = try state(vector.cipher)
        let wire = state.sealed(Array("hello".utf8)) + state.sealed(Array("world".utf8))

        #expect(wire == [UInt8](hex: vector.wire))
    }

    @Test("what another implementation sends is opened, however it is cut", arguments: vectors)
    func opens(vector: Vector) throws {
        for pieces in [UInt8](hex: vector.wire).everyCut {
            let transcript = try TunnelTranscript(state(vector.cipher), receiving: pieces)
            #expect(transcript.payload == Self.opened && transcript.fault == nil)
        }
    }

    @Test("a changed byte is never taken for payload", arguments: vectors)
    func mutations(vector: Vector) throws {
        let wire = [UInt8](hex: vector.wire)
        for place in wire.indices {
            for change: UInt8 in [1, 0x80, 0xFF] {
                var bytes = wire
                bytes[place] ^= change
                let transcript = try TunnelTranscript(state(vector.cipher), receiving: [bytes])
                #expect(transcript.fault == .badReply)
                #expect(Self.opened.starts(with: transcript.payload))
            }
        }
    }

    @Test("another password opens nothing", arguments: vectors)
    func wrongPassword(vector: Vector) throws {
        let state = try state(vector.cipher, password: "correct-horse-batterz")
        let transcript = TunnelTranscript(state, receiving: [[UInt8](hex: vector.wire)])

        #expect(transcript.fault == .badReply && transcript.payload.isEmpty)
    }

    @Test("nothing is sent twice under one nonce", arguments: ShadowsocksCipher.allCases)
    func nonces(cipher: ShadowsocksCipher) throws {
        var state = try state(cipher)
        _ = state.sealed([])
        let pieces = (0..<300).map { _ in state.sealed([7]) }

        let different = Set(pieces).count
        #expect(different == 300)
    }

    @Test("any payload comes out as it went in", arguments: 0..<12)
    func roundTrip(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let cipher = ShadowsocksCipher.allCases[seed % 3]
        var sender = try state(cipher, salt: 9)
        var (payload, pieces): ([UInt8], [[UInt8]]) = ([], [])
        for _ in 0..<8 {
            let count = Int.random(in: 0...40_000, using: &random)
            let part = [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: count)
            payload += part
            pieces.append(sender.sealed(part))
        }
        let wire = Array(pieces.joined())
        let cut = Int.random(in: 0...wire.count, using: &random)
        let transcript = try TunnelTranscript(
            state(cipher),
            receiving: [Array(wire[..<cut]), Array(wire[cut...])]
        )

        let isSame = transcript.payload == [3, 11] + Array("example.com".utf8) + [1, 0xBB] + payload
        #expect(isSame && transcript.fault == nil)
        #expect(transcript.mostHeld <= ShadowsocksState.maxChunk + 34)
    }

    @Test(
        "the bound of what payload becomes holds and is not far off",
        arguments: [0, 1, 0x3FEE, 0x3FFF, 0x4000, 100_000]
    )
    func bound(count: Int) throws {
        var state = try state(.aes128GCM)
        for _ in 0..<2 {
            let bound = state.sealedCount(count)
            let sealed = state.sealed([UInt8](repeating: 1, count: count))
            #expect(sealed.count <= bound && bound <= sealed.count + 16 + 34)
        }
    }
}
