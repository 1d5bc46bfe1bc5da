import NIOCore
import ObjectStore
import Testing

@testable import Sidecar

@Suite("A stored image is answered for as a file that never changes")
struct MediaResponseTests {
    private static let digits = String(repeating: "ab", count: 32)

    private func name(_ format: String = "png") throws -> ObjectName {
        try #require(ObjectName(fileName: "\(Self.digits).\(format)"))
    }

    private func image(range: String? = nil, knownTags: String? = nil) throws -> MediaResponse {
        let name = try name()
        guard let range else {
            return .image(name, byteCount: 1000, range: nil, knownTags: knownTags)
        }
        return Array(range.utf8).withUnsafeBytes {
            .image(name, byteCount: 1000, range: $0, knownTags: knownTags)
        }
    }

    private func head(_ response: MediaResponse) -> String {
        String(buffer: response.head(requestID: "id", keepsAlive: true))
    }

    @Test("whole")
    func whole() throws {
        let response = try image()

        #expect(response.part == 0..<1000)
        #expect(
            head(response) == """
                HTTP/1.1 200 OK\r
                ETag: "\(Self.digits)"\r
                Cache-Control: public, max-age=31536000, immutable\r
                Content-Type: image/png\r
                Accept-Ranges: bytes\r
                Content-Length: 1000\r
                X-Content-Type-Options: nosniff\r
                Content-Security-Policy: default-src 'none'; sandbox\r
                Cross-Origin-Resource-Policy: cross-origin\r
                x-sidecar-request-id: id\r
                \r

                """
        )
    }

    @Test("in part")
    func part() throws {
        let response = try image(range: "bytes=10-19")

        #expect(response.part == 10..<20)
        #expect(head(response).hasPrefix("HTTP/1.1 206 Partial Content\r\n"))
        #expect(head(response).contains("Content-Range: bytes 10-19/1000\r\n"))
        #expect(head(response).contains("Content-Length: 10\r\n"))
    }

    @Test("beyond its end")
    func beyond() throws {
        let response = try image(range: "bytes=1000-")

        #expect(response.part.isEmpty)
        #expect(
            head(response).hasPrefix("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */1000\r\n")
        )
    }

    @Test("not again to who has it", arguments: ["*", "\"\(digits)\"", "\"x\", W/\"\(digits)\""])
    func notModified(tags: String) throws {
        let response = try image(knownTags: tags)

        #expect(response.part.isEmpty)
        #expect(head(response).hasPrefix("HTTP/1.1 304 Not Modified\r\nETag:"))
        #expect(!head(response).contains("Content-Length"))
    }

    @Test("elsewhere, for less time than the address lives", arguments: [(3600, 3300), (300, 0), (10, 0)])
    func redirect(living: Int, kept: Int) {
        let text = head(.redirect(to: "https://s3/a?b=c", livingFor: living))

        #expect(text.hasPrefix("HTTP/1.1 302 Found\r\nLocation: https://s3/a?b=c\r\n"))
        #expect(text.contains("Cache-Control: private, max-age=\(kept)\r\n"))
    }
}

@Suite("What is asked for below /media/ is a name, a signed URL, or nothing")
struct MediaRequestTests {
    private static let digits = String(repeating: "0f", count: 32)

    @Test(
        "elsewhere it is no request for an image",
        arguments: ["/", "/v1/media/x", "/mediax", "/media", ""]
    )
    func elsewhere(target: String) {
        #expect(MediaRequest(target: target) == nil)
    }

    @Test("a name, whatever query follows", arguments: ["", "?", "?a=b"])
    func link(query: String) throws {
        let name = try #require(ObjectName(fileName: "\(Self.digits).jpg"))

        #expect(MediaRequest(target: "/media/\(Self.digits).jpg\(query)") == .link(name))
    }

    @Test("signed URLs are judged by the store")
    func signed() {
        #expect(MediaRequest(target: "/media/signed/x?y") == .signed(target: "/media/signed/x?y"))
    }

    @Test(
        "names that were never handed out",
        arguments: [
            "", "x.png", "../secret", "%2e%2e/secret", "/\(digits).jpg", "0f/\(digits).jpg", "\(digits).svg",
            "\(digits).jpg/", "\(digits.uppercased()).jpg", "\(digits)",
        ]
    )
    func unknown(name: String) {
        #expect(MediaRequest(target: "/media/\(name)") == .unknown)
    }
}
