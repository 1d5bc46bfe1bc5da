internal import NIOCore
internal import ObjectStore
internal import Wire

/// The head of an answer to a ``MediaRequest``, and which part of the image follows it.
struct MediaResponse: Equatable {
    enum Status: Int {
        case ok = 200
        case partialContent = 206
        case found = 302
        case notModified = 304
        case forbidden = 403
        case notFound = 404
        case methodNotAllowed = 405
        case rangeNotSatisfiable = 416
        case badGateway = 502

        var line: String {
            switch self {
            case .ok: "200 OK"
            case .partialContent: "206 Partial Content"
            case .found: "302 Found"
            case .notModified: "304 Not Modified"
            case .forbidden: "403 Forbidden"
            case .notFound: "404 Not Found"
            case .methodNotAllowed: "405 Method Not Allowed"
            case .rangeNotSatisfiable: "416 Range Not Satisfiable"
            case .badGateway: "502 Bad Gateway"
            }
        }
    }

    let status: Status
    /// Without those that every answer has.
    let fields: [String]
    /// Bytes of the image that follow.
    let part: Range<Int>

    private init(_ status: Status, _ fields: [String] = [], part: Range<Int> = 0..<0) {
        self.status = status
        self.fields = fields
        self.part = part
    }

    static let methodNotAllowed = MediaResponse(.methodNotAllowed, ["Allow: GET, HEAD"])
    static let notFound = MediaResponse(.notFound)
    static let forbidden = MediaResponse(.forbidden)
    static let badGateway = MediaResponse(.badGateway)

    /// Sends the client to where the image is.
    ///
    /// - Parameter seconds: how long that address lives at least; it may be kept for less.
    static func redirect(to url: String, livingFor seconds: Int) -> MediaResponse {
        MediaResponse(
            .found,
            ["Location: \(url)", "Cache-Control: private, max-age=\(max(0, seconds - 300))"]
        )
    }

    /// An image of the embedded store.
    ///
    /// - Parameters:
    ///   - range: the value of the field `Range`; nil when there is none.
    ///   - knownTags: the value of `If-None-Match`.
    static func image(
        _ name: ObjectName,
        byteCount: Int,
        range: UnsafeRawBufferPointer?,
        knownTags: String?
    ) -> MediaResponse {
        let tag = "\"\(name.digest.hexadecimal)\""
        // The name is that of the content: it never changes.
        let lasting = ["ETag: \(tag)", "Cache-Control: public, max-age=31536000, immutable"]
        if let knownTags, knownTags == "*" || knownTags.contains(tag) {
            return MediaResponse(.notModified, lasting)
        }
        let described = lasting + ["Content-Type: \(name.format.contentType)", "Accept-Ranges: bytes"]
        switch ByteRange(range, of: byteCount) {
        case .whole:
            return MediaResponse(.ok, described, part: 0..<byteCount)
        case .part(let part):
            let place = "Content-Range: bytes \(part.lowerBound)-\(part.upperBound - 1)/\(byteCount)"
            return MediaResponse(.partialContent, described + [place], part: part)
        case .unsatisfiable:
            return MediaResponse(.rangeNotSatisfiable, ["Content-Range: bytes */\(byteCount)"])
        }
    }

    /// The head as it is sent.
    ///
    /// What a browser shows of an image must not become a page that runs scripts, whatever its bytes are.
    func head(requestID: String, keepsAlive: Bool) -> ByteBuffer {
        var lines = ["HTTP/1.1 \(status.line)"] + fields
        if status != .notModified { lines.append("Content-Length: \(part.count)") }
        lines.append("X-Content-Type-Options: nosniff")
        lines.append("Content-Security-Policy: default-src 'none'; sandbox")
        lines.append("Cross-Origin-Resource-Policy: cross-origin")
        lines.append("x-sidecar-request-id: \(requestID)")
        if !keepsAlive { lines.append("Connection: close") }
        return ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n")
    }
}
