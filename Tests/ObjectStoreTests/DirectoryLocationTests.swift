import ObjectStore
import TestSupport
import Testing

@Suite("The embedded store signs its URLs")
struct DirectoryLocationTests {
    /// By `openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f`.
    static let signature = "2ac7b9afb98ba208869c248236788a71d421c0d53bdf80c6a86d5e3c14de986d"

    @Test("by HMAC-SHA256 of name and expiry")
    func form() {
        #expect(
            Sample.target
                == "/media/signed/\(Sample.fileName)?expires=1800000100&signature=\(Self.signature)"
        )
        #expect(Sample.signedURL.hasPrefix(Sample.base))
    }

    @Test(
        "a URL is good until its expiry",
        arguments: [(-1_000_000, true), (0, true), (99, true), (100, false), (1_000_000, false)]
    )
    func lifetime(later: Int, isGood: Bool) {
        let now = SigningTime(secondsSince1970: Sample.time.secondsSince1970 + later)
        let granted = DirectoryLocation.Access.granted(Sample.name, until: Sample.time + .seconds(100))

        #expect(Sample.directory.access(to: Sample.target, at: now) == (isGood ? granted : .expired))
    }

    @Test("every change of one byte is refused", arguments: 0..<Sample.target.utf8.count)
    func mutation(place: Int) {
        let target = Array(Sample.target.utf8)
        for byte in Sample.otherBytes(than: target[place]) {
            var changed = target
            changed[place] = byte
            let text = String(decoding: changed, as: UTF8.self)
            #expect(Sample.directory.access(to: text, at: Sample.time) == .refused)
        }
    }

    @Test("every cut, doubling and insertion of bytes is refused", arguments: 0..<100)
    func edits(seed: UInt64) {
        var random = SplitMix(seed: seed)
        for _ in 0..<20 {
            var changed = Array(Sample.target.utf8)
            let start = Int.random(in: 0..<changed.count, using: &random)
            let end = Int.random(in: start...changed.count, using: &random)
            let piece = Array(changed[start..<end])
            switch Int.random(in: 0..<3, using: &random) {
            case 0: changed.removeSubrange(start..<max(end, start + 1))
            case 1: changed.insert(contentsOf: piece.isEmpty ? [0x30] : piece, at: end)
            default: changed.insert(UInt8.random(in: 0x20...0x7E, using: &random), at: start)
            }
            let text = String(decoding: changed, as: UTF8.self)
            #expect(text == Sample.target || Sample.directory.access(to: text, at: Sample.time) == .refused)
        }
    }

    static let others: [(why: String, target: String)] = [
        ("the whole URL", Sample.signedURL),
        ("without a query", "/media/signed/\(Sample.fileName)"),
        ("without a signature", String(Sample.target.prefix { $0 != "&" })),
        (
            "the other order",
            "/media/signed/\(Sample.fileName)?signature=\(signature)&expires=1800000100"
        ),
        ("one more parameter", Sample.target + "&x=1"),
        ("a leading zero", Sample.target.replacing("expires=", with: "expires=0")),
        ("a sign", Sample.target.replacing("expires=", with: "expires=+")),
        ("upper case", Sample.target.replacing(signature, with: signature.uppercased())),
        ("a later expiry", Sample.target.replacing("1800000100", with: "1900000100")),
        ("an expiry beyond all time", Sample.target.replacing("1800000100", with: "999999999999999999999")),
        ("another image", Sample.target.replacing("/ba", with: "/bb")),
        ("another kind", Sample.target.replacing(".png", with: ".gif")),
        ("no signature at all", Sample.target.replacing(signature, with: "")),
        ("a mark that joins the folder's slash", Sample.target.replacing("signed/", with: "signed/\u{301}")),
    ]

    @Test("what is not exactly what was signed is refused", arguments: others)
    func refused(why: String, target: String) {
        #expect(Sample.directory.access(to: target, at: Sample.time) == .refused)
    }

    @Test("another secret refuses it")
    func otherSecret() throws {
        let other = try #require(
            DirectoryLocation(base: Sample.base, secret: Sample.secret.dropLast() + [0])
        )

        #expect(other.access(to: Sample.target, at: Sample.time) == .refused)
    }

    @Test("the base makes no difference to a signature")
    func bases() throws {
        let inner = try #require(DirectoryLocation(base: "http://sidecar:4100/", secret: Sample.secret))
        let url = inner.signedURL(for: Sample.name, at: Sample.time, lifetime: .seconds(100))

        #expect(url == "http://sidecar:4100\(Sample.target)")
        #expect(inner.objectName(ofOwnURL: url) == Sample.name)
        #expect(inner.objectName(ofOwnURL: Sample.signedURL) == nil)
    }

    @Test(
        "its own URLs are recognised whatever query they have",
        arguments: [
            (Sample.signedURL, true), ("\(Sample.base)/media/signed/\(Sample.fileName)", true),
            ("\(Sample.base)/media/signed/\(Sample.fileName)?expires=1", true),
            ("HTTPS://AI.Example.org:443/side/media/signed/\(Sample.fileName)", true),
            ("https://ai.example.org/media/signed/\(Sample.fileName)", false),
            ("https://ai.example.org/SIDE/media/signed/\(Sample.fileName)", false),
            ("\(Sample.base)/media/\(Sample.fileName)", false),
            ("\(Sample.base)/media/signed/x/\(Sample.fileName)", false),
            ("\(Sample.base)/media/signed/../signed/\(Sample.fileName)", false),
            ("\(Sample.base)/media/signed/\(Sample.fileName)#x", false),
            ("https://ai.example.org.evil/side/media/signed/\(Sample.fileName)", false),
        ]
    )
    func own(url: String, isOwn: Bool) {
        #expect(Sample.directory.objectName(ofOwnURL: url) == (isOwn ? Sample.name : nil))
    }

    @Test(
        "a base is an address without a query",
        arguments: [
            "", "ai.example.org", "ftp://a", "https://a?x", "https://a/b?x", "https://a/#x", "https://a/ b",
        ]
    )
    func wrongBase(base: String) {
        #expect(DirectoryLocation(base: base, secret: Sample.secret) == nil)
    }

    @Test("the secret is not printed")
    func silence() {
        var printed = "\(Sample.directory)"
        dump(Sample.directory, to: &printed)

        #expect(!printed.contains("Key"))
    }
}
