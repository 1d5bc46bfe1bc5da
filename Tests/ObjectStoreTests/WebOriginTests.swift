import ObjectStore
import Testing

@Suite("An origin is the same however it is spelled")
struct WebOriginTests {
    @Test(
        "written in one way",
        arguments: [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("HTTPS://S3.Example.ORG/", "https://s3.example.org"),
            ("https://s3.example.org:443", "https://s3.example.org"), ("http://minio:80", "http://minio"),
            ("http://minio:443", "http://minio:443"), ("http://minio:", "http://minio"),
            ("http://[::1]:9000", "http://[::1]:9000"), ("https://[FE80::1]", "https://[fe80::1]"),
            ("http://my_host-1:09000", "http://my_host-1:9000"),
        ]
    )
    func spelling(text: String, written: String) {
        #expect(WebOrigin(text)?.text == written)
        #expect(WebOrigin(text) == WebOrigin(written))
    }

    @Test(
        "nothing else is one",
        arguments: [
            "", "s3.example.org", "//s3.example.org", "ftp://s3.example.org", "http:/s3.example.org",
            "http://",
            "http:///", "http://:80", "https://user@s3.example.org", "https://s3.example.org/path",
            "https://s3.example.org?x", "https://s3.example.org#x", "https://s3.example.org\\x", "http://a:0",
            "http://a:65536", "http://a:8O", "http://a:+80", "http://a:000080", "http://a b", "http://ä",
            "http://a%2e", "http://[::1", "http://::1", "http://[::1]9000", "http://[a.b]", " http://a",
        ]
    )
    func foreign(text: String) {
        #expect(WebOrigin(text) == nil)
    }

    @Test("its own port does not stand in the Host field")
    func authority() {
        #expect(WebOrigin("https://a:443")?.authority == "a")
        #expect(WebOrigin("http://a:443")?.authority == "a:443")
    }
}
