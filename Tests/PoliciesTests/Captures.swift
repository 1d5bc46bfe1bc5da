import Foundation
import Policies
import TestSupport
import Testing

/// A captured HTTP answer, read as far as its class needs it.
struct CapturedAnswer {
    var status: Int
    var headers: [String: String]
    var body: Data

    init(named name: String) throws {
        let bytes = try Data(Fixtures.bytes("captures/\(name).response.http"))
        let end = try #require(bytes.firstRange(of: Data("\r\n\r\n".utf8)))
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        status = try #require(Int(lines[0].split(separator: " ")[1]))
        headers = [:]
        for line in lines.dropFirst() {
            let colon = try #require(line.firstIndex(of: ":"))
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...]
                .trimmingCharacters(in: .whitespaces)
        }
        body = bytes[end.upperBound...]
        if headers["transfer-encoding"]?.lowercased() == "chunked" { body = Self.joined(chunks: body) }
    }

    private static func joined(chunks: Data) -> Data {
        var rest = chunks
        var body = Data()
        while let end = rest.firstRange(of: Data("\r\n".utf8)),
            let count = Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16), count > 0
        {
            body += rest[end.upperBound...].prefix(count)
            rest = rest[end.upperBound...].dropFirst(count + 2)
        }
        return body
    }

    /// The answer as the table sees it.
    func answer(hadCredential: Bool) -> Answer {
        guard let error = Self.error(in: body) else {
            return Answer(
                status: status,
                message: String(decoding: body, as: UTF8.self),
                requestHadCredential: hadCredential
            )
        }
        return Answer(
            status: status,
            message: error.message,
            type: error.type,
            code: error.code,
            requestHadCredential: hadCredential
        )
    }

    /// The error event of a stream, if it has one.
    var errorEvent: Answer? {
        String(decoding: body, as: UTF8.self).split(separator: "\n").lazy
            .filter { $0.hasPrefix("data: {") }
            .compactMap { Self.error(in: Data($0.dropFirst(6).utf8)) }
            .map { Answer(eventMessage: $0.message, type: $0.type, code: $0.code) }
            .first
    }

    private static func error(in json: Data) -> (message: String, type: String, code: String)? {
        guard let object = try? JSONSerialization.jsonObject(with: json) as? [String: Any],
            let error = object["error"] as? [String: Any], let message = error["message"] as? String
        else { return nil }
        return (message, error["type"] as? String ?? "", error["code"].map { "\($0)" } ?? "")
    }
}
