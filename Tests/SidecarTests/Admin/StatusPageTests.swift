import Foundation
import NIOCore
import NIOHTTP1
import Testing

@testable import Sidecar

@Suite("The status page")
struct StatusPageTests {
    @Test("the policy names the style and the script by their digests")
    func policy() {
        let page = StatusPage(
            frame: "<style>/*style*/</style><script>/*script*/</script>",
            style: "",
            script: "alert(1)"
        )

        #expect(page.html == "<style></style><script>alert(1)</script>")
        // printf '' | openssl dgst -sha256 -binary | base64, and the same of alert(1).
        #expect(page.policy.contains("style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"))
        #expect(page.policy.contains("script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"))
    }

    @Test("what is built in is whole")
    func built() {
        let html = StatusPage.built.html

        #expect(html.hasPrefix("<!doctype html>") && html.hasSuffix("</html>\n"))
        #expect(!html.contains("/*style*/") && !html.contains("/*script*/"))
    }

    @Test(
        "a page of another site is told from our own and from programs",
        arguments: [
            ([:], false),
            (["origin": "http://h:1"], false),
            (["origin": "https://h:1"], false),
            (["origin": "http://h:2"], true),
            (["origin": "null"], true),
            (["sec-fetch-site": "same-origin", "origin": "http://h:1"], false),
            (["sec-fetch-site": "none"], false),
            (["sec-fetch-site": "same-site"], true),
            (["sec-fetch-site": "cross-site", "origin": "http://h:1"], true),
        ] as [([String: String], Bool)]
    )
    func elsewhere(fields: [String: String], isForeign: Bool) {
        var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/reload")
        head.headers.add(name: "host", value: "h:1")
        for (name, value) in fields { head.headers.add(name: name, value: value) }

        #expect(AdminRequest(head: head, body: ByteBuffer()).comesFromElsewhere == isForeign)
    }
}
