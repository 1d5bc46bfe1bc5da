import ObjectStore
import Testing

@Suite("A location recognises its own URLs and no others")
struct S3OwnURLTests {
    @Test(
        "however old they are, and wherever the bucket stands",
        arguments: [true, false],
        [0, 90 * 86_400, 1_800_000_000]
    )
    func own(usesPathStyle: Bool, seconds: Int) {
        let location = Sample.bucket(usesPathStyle: usesPathStyle)
        let url = location.presignedURL(
            for: Sample.name,
            at: SigningTime(secondsSince1970: seconds),
            lifetime: .seconds(604_800),
            key: Sample.signer
        )

        let start = usesPathStyle ? "https://s3.example.org/pictures/" : "https://pictures.s3.example.org/"
        #expect(
            url.hasPrefix("\(start)\(Sample.key)?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F")
        )
        #expect(location.objectName(ofOwnURL: url) == Sample.name)
    }

    @Test("the text of a URL stays during a window")
    func window() {
        let window = Duration.seconds(43_200)
        let urls = [43_200, 50_000, 86_399, 86_400].map {
            Sample.bucket().presignedURL(
                for: Sample.name,
                at: SigningTime(secondsSince1970: $0).floored(to: window),
                lifetime: .seconds(604_800),
                key: Sample.signer
            )
        }

        #expect(Set(urls[..<3]).count == 1)
        #expect(urls[3] != urls[0])
    }

    @Test(
        "in every spelling that means the same",
        arguments: [
            "https://s3.example.org/pictures/\(Sample.key)", "https://s3.example.org/pictures/\(Sample.key)?",
            "https://s3.example.org/pictures/\(Sample.key)?a=b?c/../&d",
            "HTTPS://S3.Example.Org:443/pictures/\(Sample.key)",
            "https://s3.example.org:/pictures/\(Sample.key)",
        ]
    )
    func spellings(url: String) {
        #expect(Sample.bucket().objectName(ofOwnURL: url) == Sample.name)
    }

    static let foreign = [
        "", "https://s3.example.org", "https://s3.example.org/", "https://s3.example.org/pictures",
        "https://s3.example.org/pictures/", "http://s3.example.org/pictures/\(Sample.key)",
        "http://s3.example.org:443/pictures/\(Sample.key)",
        "https://s3.example.org:9000/pictures/\(Sample.key)",
        "https://s3.example.org.evil.example/pictures/\(Sample.key)",
        "https://evil.example/pictures/\(Sample.key)",
        "https://evil.example/https://s3.example.org/pictures/\(Sample.key)",
        "https://s3.example.org@evil.example/pictures/\(Sample.key)",
        "https://user@s3.example.org/pictures/\(Sample.key)",
        "https://s3.example.org./pictures/\(Sample.key)", "http://minio:9000/pictures/\(Sample.key)",
        "//s3.example.org/pictures/\(Sample.key)", "s3.example.org/pictures/\(Sample.key)",
        "https://s3.example.org/Pictures/\(Sample.key)", "https://s3.example.org/other/\(Sample.key)",
        "https://s3.example.org/pictures2/\(Sample.key)",
        "https://s3.example.org/pictures/../other/\(Sample.key)",
        "https://s3.example.org/other/../pictures/\(Sample.key)",
        "https://s3.example.org//pictures/\(Sample.key)",
        "https://s3.example.org/pictures//\(Sample.key)", "https://s3.example.org/pictures/x/\(Sample.key)",
        "https://s3.example.org/pictures/%62a/\(Sample.fileName)",
        "https://s3.example.org\\pictures/\(Sample.key)",
        "https://s3.example.org/pictures/\(Sample.key)#x",
        "https://s3.example.org/pictures/\(Sample.key)?x#y",
        "https://s3.example.org/pictures/\(Sample.key) ", " https://s3.example.org/pictures/\(Sample.key)",
        "https://s3.example.org/pictures/\(Sample.key)\n", "https://s3.example.org/pictures/\(Sample.key)?ä",
        "https://s3.example.org/pictures/\(Sample.key.uppercased())",
        "https://s3.example.org/pictures/secret.pdf",
        "https://pictures.s3.example.org/\(Sample.key)", "data:image/png;base64,AAAA",
    ]

    @Test("nothing else", arguments: foreign)
    func recognisesNoOther(url: String) {
        #expect(Sample.bucket().objectName(ofOwnURL: url) == nil)
    }

    @Test("without path style neither the bare host nor another bucket's")
    func virtualHost() {
        let location = Sample.bucket(usesPathStyle: false)

        #expect(location.objectName(ofOwnURL: "https://pictures.s3.example.org/\(Sample.key)") == Sample.name)
        #expect(location.objectName(ofOwnURL: "https://s3.example.org/\(Sample.key)") == nil)
        #expect(location.objectName(ofOwnURL: "https://s3.example.org/pictures/\(Sample.key)") == nil)
        #expect(location.objectName(ofOwnURL: "https://others.s3.example.org/\(Sample.key)") == nil)
    }

    @Test("no change of one byte before the query leads to the same object elsewhere")
    func mutation() {
        let location = Sample.bucket()
        let url = Array("https://s3.example.org/pictures/\(Sample.key)".utf8)
        for place in url.indices {
            for byte in Sample.otherBytes(than: url[place]) {
                var changed = url
                changed[place] = byte
                guard let name = location.objectName(ofOwnURL: String(decoding: changed, as: UTF8.self))
                else {
                    continue
                }
                // Only letters of scheme and host have two spellings.
                #expect(name == Sample.name ? byte ^ url[place] == 0x20 && place < 22 : place > 32)
            }
        }
    }
}
