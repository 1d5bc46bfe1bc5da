/// The text of a request that is signed, so that both sides write the same one.
///
/// Source: "Signature Calculations for the Authorization Header", Task 1, in the Amazon S3 API Reference. The path is
/// encoded once, and dots and double slashes in it stay, unlike with the other services of AWS.
struct CanonicalRequest {
    /// The names of the signed header fields: lower case, sorted, with semicolons between.
    let signedHeaders: String
    let text: String

    /// - Parameters:
    ///   - headers: without Host, which is added here.
    ///   - payloadHash: of the content, or `UNSIGNED-PAYLOAD`.
    init(_ request: S3Request, query: [S3Request.Field], headers: [S3Request.Field], payloadHash: String) {
        let headers = Self.joined(headers + [S3Request.Field("host", request.origin.authority)])
        let signedHeaders = headers.map(\.name).joined(separator: ";")
        var text = "\(request.method.rawValue)\n\(request.encodedPath)\n\(Self.query(query))\n"
        for header in headers { text += "\(header.name):\(header.value)\n" }
        text += "\n\(signedHeaders)\n\(payloadHash)"
        self.text = text
        self.signedHeaders = signedHeaders
    }

    /// Names and values encoded, then sorted by their bytes; a name without a value keeps its equals sign.
    static func query(_ fields: [S3Request.Field]) -> String {
        fields.map {
            S3Request.Field(PercentEncoding.component($0.name), PercentEncoding.component($0.value))
        }
        .sorted { a, b in
            // By name first: sorted as whole texts, `a-b=1` would come before `a=1`.
            a.name == b.name ? a.value < b.value : a.name < b.name
        }
        .map { "\($0.name)=\($0.value)" }
        .joined(separator: "&")
    }

    /// Sorted by lower-case name; the values of one name stand in their own order with commas between.
    private static func joined(_ fields: [S3Request.Field]) -> [S3Request.Field] {
        var values: [String: String] = [:]
        for field in fields {
            let (name, value) = (field.name.lowercased(), trimmed(field.value))
            values[name] = values[name].map { "\($0),\(value)" } ?? value
        }
        return values.map { S3Request.Field($0.key, $0.value) }.sorted { $0.name < $1.name }
    }

    /// Without spaces at the ends, and with one space where there were several.
    private static func trimmed(_ value: String) -> String {
        value.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
    }
}
