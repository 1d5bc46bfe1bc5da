internal import Crypto

/// The AEAD ciphers of Shadowsocks (SIP004).
enum ShadowsocksCipher: String, CaseIterable, Sendable {
    case aes128GCM = "aes-128-gcm"
    case aes256GCM = "aes-256-gcm"
    case chaCha20Poly1305 = "chacha20-ietf-poly1305"

    /// Reads a method's name in any case, other programs' names of the three too.
    init?(method: String) {
        switch method.lowercased() {
        case "aes-128-gcm", "aead_aes_128_gcm": self = .aes128GCM
        case "aes-256-gcm", "aead_aes_256_gcm": self = .aes256GCM
        case "chacha20-ietf-poly1305", "chacha20-poly1305", "aead_chacha20_poly1305": self = .chaCha20Poly1305
        default: return nil
        }
    }

    /// Bytes of key and salt.
    var keyCount: Int { self == .aes128GCM ? 16 : 32 }

    /// Bytes of the tag behind each sealed piece.
    static let tagCount = 16

    /// The key that a password stands for: OpenSSL's EVP_BytesToKey with MD5, one round, no salt.
    func masterKey(password: String) -> SymmetricKey {
        var (key, block): ([UInt8], [UInt8]) = ([], [])
        while key.count < keyCount {
            block = Array(Insecure.MD5.hash(data: block + Array(password.utf8)))
            key += block
        }
        return SymmetricKey(data: key.prefix(keyCount))
    }
}

/// One direction of a connection: seals or opens pieces, each under the next nonce.
struct ShadowsocksStream {
    private let cipher: ShadowsocksCipher
    private let key: SymmetricKey
    /// The number of the next piece.
    ///
    /// As a nonce it has twelve bytes, little-endian, of which the last four stay zero.
    private var piece: UInt64 = 0

    /// - Parameter salt: of as many bytes as the key, sent in the clear by who seals.
    init(_ cipher: ShadowsocksCipher, masterKey: SymmetricKey, salt: [UInt8]) {
        self.cipher = cipher
        key = HKDF<Insecure.SHA1>.deriveKey(
            inputKeyMaterial: masterKey,
            salt: salt,
            info: Array("ss-subkey".utf8),
            outputByteCount: cipher.keyCount
        )
    }

    /// Writes a sealed piece: as many bytes as it has, and the tag.
    mutating func seal(_ piece: UnsafeRawBufferPointer, into wire: UnsafeMutableRawBufferPointer) throws {
        let nonce = nextNonce()
        let tag = UnsafeMutableRawBufferPointer(rebasing: wire[piece.count...])
        switch cipher {
        case .aes128GCM, .aes256GCM:
            let box = try AES.GCM.seal(piece, using: key, nonce: AES.GCM.Nonce(data: nonce))
            wire.copyBytes(from: box.ciphertext)
            tag.copyBytes(from: box.tag)
        case .chaCha20Poly1305:
            let box = try ChaChaPoly.seal(piece, using: key, nonce: ChaChaPoly.Nonce(data: nonce))
            wire.copyBytes(from: box.ciphertext)
            tag.copyBytes(from: box.tag)
        }
    }

    /// Opens a sealed piece.
    ///
    /// - Parameters:
    ///   - wire: the piece and its tag.
    ///   - piece: where to write it.
    /// - Throws: when the tag is wrong.
    mutating func open(_ wire: UnsafeRawBufferPointer, into piece: UnsafeMutableRawBufferPointer) throws {
        let nonce = nextNonce()
        let count = wire.count - ShadowsocksCipher.tagCount
        let sealed = UnsafeRawBufferPointer(rebasing: wire[..<count])
        let tag = UnsafeRawBufferPointer(rebasing: wire[count...])
        switch cipher {
        case .aes128GCM, .aes256GCM:
            let nonce = try AES.GCM.Nonce(data: nonce)
            let box = try AES.GCM.SealedBox(nonce: nonce, ciphertext: sealed, tag: tag)
            try piece.copyBytes(from: AES.GCM.open(box, using: key))
        case .chaCha20Poly1305:
            let nonce = try ChaChaPoly.Nonce(data: nonce)
            let box = try ChaChaPoly.SealedBox(nonce: nonce, ciphertext: sealed, tag: tag)
            try piece.copyBytes(from: ChaChaPoly.open(box, using: key))
        }
    }

    private mutating func nextNonce() -> [UInt8] {
        defer { piece += 1 }
        return withUnsafeBytes(of: (piece.littleEndian, UInt32(0))) { Array($0) }
    }
}
