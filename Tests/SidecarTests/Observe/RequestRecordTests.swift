import Foundation
import NIOCore
import Policies
import Testing
import Wire

@testable import Sidecar

@Suite("A request leaves one line in the log")
struct RequestRecordTests {
    private let record = RequestRecord(
        id: "id",
        traceID: "trace",
        listener: ListenerIdentity(.gateway),
        dialect: .openAIChat,
        started: .uptimeNanoseconds(1_000_000)
    )

    private func line() throws -> [String: Any] {
        var buffer = Array("before\n".utf8)
        record.appendLine(to: &buffer, ended: .uptimeNanoseconds(4_500_000))
        let own = buffer.dropFirst("before\n".utf8.count)
        #expect(buffer.count { $0 == 0x0A } == 2 && buffer.last == 0x0A)
        return try #require(JSONSerialization.jsonObject(with: Data(own)) as? [String: Any])
    }

    @Test("what is not known is left out")
    func least() throws {
        let line = try line()

        #expect(
            Set(line.keys) == [
                "time", "level", "msg", "request_id", "trace_id", "listener", "dialect", "status", "stream",
                "duration_ms", "overhead_ms", "bytes_in", "bytes_out",
            ]
        )
        #expect(line["duration_ms"] as? Double == 3.5 && line["dialect"] as? String == "openai-chat")
        let time = try #require(line["time"] as? String)
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    }

    @Test("all that is known is there, and every text is quoted")
    func most() throws {
        let text = "a\"\\\n\u{1}é" + String(repeating: "\u{0}", count: 20_000)
        record.route = text
        record.requestedModel = text
        record.model = text
        record.status = 502
        record.isStream = true
        record.firstToken = .uptimeNanoseconds(2_000_000)
        record.countedTokens = 7
        record.clip = ClipFigures(dropped: 1, kept: 2, before: 3, after: 4, budget: 5)
        record.error = text

        let line = try line()

        for key in ["route", "requested_model", "model", "error"] { #expect(line[key] as? String == text) }
        #expect(line["level"] as? String == "error" && line["ttft_ms"] as? Double == 1)
        #expect(line["tokens_counted"] as? Int == 7)
        let clip = line["clip"] as? [String: Int]
        #expect(clip == ["dropped": 1, "kept": 2, "before": 3, "after": 4, "budget": 5])
    }
}
