import NIOCore
import Policies
import Testing
import Wire

@testable import Sidecar

@Suite("What the metrics tell of a request")
struct RequestFiguresTests {
    private func record() -> RequestRecord {
        let record = RequestRecord(
            id: "id",
            traceID: "trace",
            listener: ListenerIdentity(.gateway),
            dialect: .openAIChat,
            started: .uptimeNanoseconds(0)
        )
        record.status = 200
        record.firstToken = .uptimeNanoseconds(1_000_000_000)
        return record
    }

    private let ended = NIODeadline.uptimeNanoseconds(3_000_000_000)

    @Test(
        "the time for a token is that behind the first, by reported tokens, else by deltas",
        arguments: [
            (reported: 11, deltas: 5, seconds: 0.2), (reported: nil, deltas: 5, seconds: 0.5),
            (reported: 0, deltas: 5, seconds: 0.5), (reported: 1, deltas: 5, seconds: nil),
            (reported: nil, deltas: 1, seconds: nil), (reported: nil, deltas: 0, seconds: nil),
        ] as [(reported: Int?, deltas: Int, seconds: Double?)]
    )
    func outputTokens(reported: Int?, deltas: Int, seconds: Double?) {
        let record = record()
        record.usage = reported.map { Usage(promptTokens: 1, completionTokens: $0) }
        record.figures.outputEvents = deltas

        #expect(record.outputTokenSeconds(ended: ended) == seconds)
        record.error = "answer_cut"
        #expect(record.outputTokenSeconds(ended: ended) == nil)
        record.error = nil
        record.firstToken = nil
        #expect(record.outputTokenSeconds(ended: ended) == nil)
    }

    @Test("only what the provider does not report is counted here, and only of good answers")
    func counted() {
        let record = record()
        #expect(record.countedUsage == nil)
        record.figures.outputEvents = 7
        #expect(record.countedUsage == Usage(promptTokens: 0, completionTokens: 7))
        record.countedTokens = 30
        #expect(record.countedUsage == Usage(promptTokens: 30, completionTokens: 7))
        for status in [0, 301, 400, 499, 500] {
            record.status = status
            #expect(record.countedUsage == nil)
        }
        record.status = 200
        record.usage = Usage(promptTokens: 1, completionTokens: 1)
        #expect(record.countedUsage == nil)
    }

    @Test("a phase adds to the overhead that the log states, if it holds up the request")
    func phases() {
        let record = record()
        record.accepted(in: 1)
        record.planned(in: 20)
        record.transformed(in: 300)
        record.transformed(in: 4000)

        #expect(record.figures.accept == 1 && record.figures.plan == 20 && record.figures.transform == 4300)
        #expect(record.overhead == 4320)
    }

    @Test("the time of relaying is that between begin and end, in whatever order they come")
    func relay() {
        var time = RelayTime()
        time.end()
        #expect(time.nanoseconds == 0)
        for _ in 0..<100 {
            time.begin()
            time.begin()
            time.end()
            time.end()
        }
        #expect(time.nanoseconds > 0)
    }
}

@Suite("Where messages lie in an edited body")
struct MessagesSpanTests {
    private static let chat =
        #"{"model":"c", "messages": [ {"role":"user","content":"a"} , {"role":"user","content":"b"} ], "n":1}"#

    @Test(
        "from behind the bracket to the end of the last message",
        arguments: [
            (0..<0, "", #" {"role":"user","content":"a"} , {"role":"user","content":"b"}"#),
            (1..<1, #""x":true,"#, #" {"role":"user","content":"a"} , {"role":"user","content":"b"}"#),
            (9..<12, #""longer""#, #" {"role":"user","content":"a"} , {"role":"user","content":"b"}"#),
            (28..<60, "", #" {"role":"user","content":"b"}"#),
            (97..<98, "22", #" {"role":"user","content":"a"} , {"role":"user","content":"b"}"#),
        ]
    )
    func span(range: Range<Int>, replacement: String, messages: String) throws {
        let splices =
            range.isEmpty && replacement.isEmpty ? [] : [Splice(range, with: Array(replacement.utf8))]
        let found = try Array(Self.chat.utf8).withUnsafeBytes { raw in
            let conversation = try #require(Conversation(scanning: raw, as: .openAIChat))
            let span = try #require(conversation.messagesSpan(after: splices))
            return String(decoding: raw.applying(splices)[span], as: UTF8.self)
        }

        #expect(found == messages)
    }

    @Test(
        "what is no chat has none",
        arguments: [(#"{"input":"a"}"#, Dialect.embeddings), (#"{"messages":[]}"#, .openAIChat)]
    )
    func none(text: String, dialect: Dialect) throws {
        try Array(text.utf8).withUnsafeBytes { raw in
            let conversation = try #require(Conversation(scanning: raw, as: dialect))
            #expect(conversation.messagesSpan(after: []) == nil)
        }
    }
}
