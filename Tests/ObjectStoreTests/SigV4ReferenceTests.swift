import Foundation
import ObjectStore
import TestSupport
import Testing

/// Rows of `scripts/sigv4_cases.py`, which asks botocore.
@Suite("Signatures are those of the reference implementation")
struct SigV4ReferenceTests {
    struct Row: Decodable {
        var auth, method, origin, path: String
        var query, headers: [[String]]
        /// Nil when the content is not signed.
        var payload: String?
        var key, secret: String
        var token: String?
        var region: String
        var time, lifetime: Int
        var signed, signature: String

        var request: S3Request? {
            guard let method = S3Request.Method(rawValue: method), let origin = WebOrigin(origin) else {
                return nil
            }
            return S3Request(
                method,
                at: origin,
                path: path,
                query: query.map { .init($0[0], $0[1]) },
                headers: headers.map { .init($0[0], $0[1]) },
                payload: payload.map { .bytes(Array($0.utf8)) } ?? .unsigned
            )
        }

        /// Signed by us: the names of the signed fields and the signature.
        func answer() throws -> (signed: String, signature: String) {
            let (request, region) = (try #require(request), try #require(S3Region(region)))
            let time = SigningTime(secondsSince1970: time)
            let credentials = S3Credentials(accessKey: key, secretKey: secret, sessionToken: token)
            let signer = SigningKey(credentials, region: region, at: time)
            guard auth == "header" else {
                let url = signer.presignedURL(for: request, at: time, lifetime: .seconds(lifetime))
                let items = try #require(URLComponents(string: url)?.queryItems)
                let values = Dictionary(items.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { $1 })
                return (values["X-Amz-SignedHeaders"] ?? "", values["X-Amz-Signature"] ?? "")
            }
            let field = try #require(signer.headers(for: request, at: time).last)
            let parts = field.value.split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) }
            return (String(parts[1][1]), String(parts[2][1]))
        }
    }

    @Test("every recorded row")
    func rows() throws {
        let decoder = JSONDecoder()
        let rows = try Fixtures.bytes("objectstore/sigv4.jsonl").split(separator: UInt8(ascii: "\n"))
            .map { try decoder.decode(Row.self, from: Data($0)) }

        let wrong = try rows.indices.filter { try rows[$0].answer() != (rows[$0].signed, rows[$0].signature) }

        #expect(rows.count == 400)
        #expect(rows.filter { $0.auth == "query" }.count > 150)
        #expect(wrong.isEmpty)
    }
}
