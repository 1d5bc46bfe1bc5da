internal import Crypto

/// The embedded store, as its signed URLs see it.
///
/// A URL is `<base>/media/signed/<name>?expires=<seconds since 1970>&signature=<64 digits>`. The signature is the
/// HMAC-SHA256 of name and expiry under a secret of this installation. The base is not signed, since one store may be
/// reached by several.
public struct DirectoryLocation: Sendable {
    private let base: WebBase
    private let key: SymmetricKey

    /// A store below an address of the gateway.
    ///
    /// - Parameters:
    ///   - base: where the gateway is reached, such as `https://ai.example.org`; a path is allowed, a query is not.
    ///   - secret: at least 32 random bytes, the same for every replica and after every start.
    /// - Returns: nil when the base is not such an address.
    public init?(base: String, secret: [UInt8]) {
        precondition(secret.count >= 32, "a secret that can be guessed signs nothing")
        guard let base = WebBase(base) else { return nil }
        self.base = base
        key = SymmetricKey(data: secret)
    }

    /// A URL under which anybody gets the object until the lifetime is over.
    ///
    /// - Parameters:
    ///   - time: when the lifetime begins; floor it with ``SigningTime/floored(to:)`` for a text that stays.
    ///   - lifetime: of whole seconds.
    public func signedURL(for name: ObjectName, at time: SigningTime, lifetime: Duration) -> String {
        let end = time + lifetime
        let message = Self.message(name, end.secondsSince1970)
        let signature = Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
        return base.url(Self.folder + name.fileName)
            + "?expires=\(end.secondsSince1970)&signature=\(Hexadecimal.text(signature))"
    }

    /// The object that a URL of this location names, whatever query it has.
    ///
    /// The query is not looked at, so a URL whose time is over is recognised too: the caller signs it anew.
    ///
    /// - Returns: nil for everything else.
    public func objectName(ofOwnURL url: String) -> ObjectName? {
        base.rest(of: url, below: Self.folder).flatMap { ObjectName(fileName: $0) }
    }

    /// Whether a request may have an object.
    public enum Access: Equatable, Sendable {
        /// Until its expiry, as long as it may be cached.
        case granted(ObjectName, until: SigningTime)
        /// It might have had it before.
        case expired
        /// Not a request of this form, or not signed by us.
        case refused
    }

    /// Decides about a request for a signed URL.
    ///
    /// Every URL has one spelling: other orders, upper case, signs and leading zeros are refused. The signature is
    /// compared in constant time.
    ///
    /// - Parameter target: path and query, as in the request line; without the path of the base.
    public func access(to target: String, at time: SigningTime) -> Access {
        guard let (name, expiry, signature) = Self.parts(of: target),
            HMAC<SHA256>.isValidAuthenticationCode(
                signature,
                authenticating: Self.message(name, expiry.secondsSince1970),
                using: key
            )
        else { return .refused }
        return time < expiry ? .granted(name, until: expiry) : .expired
    }

    private static let folder = "/media/signed/"

    /// Names the purpose, so that nothing else that is signed with this secret is taken for a URL.
    private static func message(_ name: ObjectName, _ expiry: Int) -> [UInt8] {
        Array("media URL\n\(name.fileName)\n\(expiry)".utf8)
    }

    private static func parts(
        of target: String
    ) -> (name: ObjectName, expiry: SigningTime, signature: [UInt8])? {
        guard target.utf8.count <= 256, target.hasPrefix(folder) else { return nil }
        let halves = target.dropFirst(folder.utf8.count).split(
            separator: "?",
            omittingEmptySubsequences: false
        )
        guard halves.count == 2, let name = ObjectName(fileName: halves[0]) else { return nil }
        let fields = halves[1].split(separator: "&", omittingEmptySubsequences: false)
        guard fields.count == 2, fields[0].hasPrefix("expires="), fields[1].hasPrefix("signature="),
            let expiry = instant(fields[0].dropFirst("expires=".utf8.count)),
            let signature = Hexadecimal.bytes(fields[1].dropFirst("signature=".utf8.count).utf8)
        else { return nil }
        return (name, expiry, signature)
    }

    private static func instant(_ digits: Substring) -> SigningTime? {
        // Eleven digits reach beyond the year 5000.
        guard (1...11).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.first != "0", let seconds = Int(digits)
        else { return nil }
        return SigningTime(secondsSince1970: seconds)
    }
}

extension DirectoryLocation: CustomStringConvertible, CustomReflectable {
    /// Without what is secret.
    public var description: String { "DirectoryLocation" }
    /// Without what is secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
