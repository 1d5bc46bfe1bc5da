import ObjectStore
import Testing

@Suite("Links in answers name an object and nothing else")
struct PublicLinksTests {
    static let links = known(PublicLinks(base: Sample.base + "/"))
    static let target = "/media/\(Sample.fileName)"

    @Test("a link is the base, a folder and the name")
    func form() {
        #expect(Self.links.url(for: Sample.name) == Sample.base + Self.target)
    }

    @Test(
        "they are recognised whatever query they have",
        arguments: [
            ("\(Sample.base)/media/\(Sample.fileName)", true),
            ("\(Sample.base)/media/\(Sample.fileName)?a=b", true),
            ("HTTPS://AI.example.org:443/side/media/\(Sample.fileName)", true),
            ("\(Sample.base)/media/\(Sample.fileName)#x", false),
            ("\(Sample.base)/media/\(Sample.key)", false),
            ("\(Sample.base)/media/signed/\(Sample.fileName)", false),
            ("\(Sample.base)/media//\(Sample.fileName)", false), ("\(Sample.base)/\(Sample.fileName)", false),
            ("https://ai.example.org/media/\(Sample.fileName)", false),
            ("https://ai.example.org/sidekick/media/\(Sample.fileName)", false),
            ("http://ai.example.org/side/media/\(Sample.fileName)", false),
        ]
    )
    func own(url: String, isOwn: Bool) {
        #expect(Self.links.objectName(ofOwnURL: url) == (isOwn ? Sample.name : nil))
    }

    @Test(
        "a request for one has no query",
        arguments: [
            ("/media/\(Sample.fileName)", true), ("/media/\(Sample.fileName)?", false),
            ("/side/media/\(Sample.fileName)", false), ("/media/../media/x", false),
            ("/medium/\(Sample.fileName)", false), ("/media/\(Sample.fileName)\u{301}", false),
            ("/media/\u{301}\(Sample.fileName)", false), ("", false), ("/media/", false),
            ("/media/%62\(Sample.fileName.dropFirst())", false), ("/xxxxx/\(Sample.fileName)", false),
        ]
    )
    func request(target: String, isOne: Bool) {
        #expect(PublicLinks.objectName(ofTarget: target) == (isOne ? Sample.name : nil))
    }
}
