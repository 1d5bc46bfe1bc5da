import Foundation
import TestSupport
import Testing
import Wire

@Suite("The images of an answer are found, and addresses put in their place")
struct MediaImageAnswerTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var answer: String
        /// Each kind and its Base64.
        var images: [String]
        var result: String

        init(_ what: String, _ answer: String, _ images: [String], _ result: String? = nil) {
            testDescription = what
            self.answer = answer
            self.images = images
            self.result = result ?? answer
        }
    }

    private static func words(_ images: [AnswerImage], in answer: [UInt8]) -> [String] {
        images.map { image in
            let text = image.content.base64.map { String(decoding: answer[$0.range], as: UTF8.self) } ?? "?"
            return "\(image.kind) \(text)"
        }
    }

    /// The answer with `u:0`, `u:1`, … in the place of its images.
    private static func rewritten(_ answer: [UInt8], _ images: [AnswerImage]) -> String {
        let splices = images.enumerated().map { $1.replaced(byAddress: "u:\($0)") }
        return MediaImageBodies.text(answer.applying(Splice.merged(splices)))
    }

    static let answers = [
        Row(
            "the images of a chat completion",
            #"{"choices":[{"message":{"content":"a","images":[{"image_url":{"url":"data:image\/png;base64,A\/==","detail":"auto"}},{"image_url":{"url":"data:image/png;base64,BBBB"}}]}}]}"#,
            [#"dataURL A\/=="#, "dataURL BBBB"],
            #"{"choices":[{"message":{"content":"a","images":[{"image_url":{"url":"u:0","detail":"auto"}},{"image_url":{"url":"u:1"}}]}}]}"#
        ),
        Row(
            "several in Markdown, in angle brackets too, with titles",
            #"{"content":"See ![a](data:image/png;base64,AAAA)\n![b c](<data:image/jpeg;base64,BBBB>) ![](data:image/gif;base64,CCCC \"t\")."}"#,
            ["markdown AAAA", "markdown BBBB", "markdown CCCC"],
            #"{"content":"See ![a](u:0)\n![b c](<u:1>) ![](u:2 \"t\")."}"#
        ),
        Row(
            "a text that is one",
            #"{"message":{"content":"data:image/png;base64,AAAA"}}"#,
            ["dataURL AAAA"],
            #"{"message":{"content":"u:0"}}"#
        ),
        Row("a string by itself", #""data:image/png;base64,AAAA""#, ["dataURL AAAA"], #""u:0""#),
        Row("an array of strings", #"["a","data:;base64,AAAA"]"#, ["dataURL AAAA"], #"["a","u:0"]"#),
        Row(
            "not one that only begins like it",
            #"{"content":"data:image/png;base64,AAAA is a URL"}"#,
            []
        ),
        Row("not one in the middle of a text", #"{"content":"<img src='data:image/png;base64,AAAA'>"}"#, []),
        Row("not one that is not closed", #"{"content":"![a](data:image/png;base64,AAAA"}"#, []),
        Row(
            "not one that is closed otherwise than it is opened",
            #"{"content":"![a](<data:image/png;base64,AAAA) ![b](data:image/png;base64,BBBB>)"}"#,
            []
        ),
        Row("not a link to no image", #"{"content":"[a](data:text/html;base64,AAAA)"}"#, []),
        Row("not without brackets", #"{"content":"f(data:image/png;base64,AAAA)"}"#, []),
        Row("not what is not Base64", #"{"url":"data:image/svg+xml,%3Csvg;base64, "}"#, []),
        Row(
            "not in the arguments of calls",
            #"{"tool_calls":[{"url":"data:image/png;base64,AAAA"}],"input":{"url":"data:image/png;base64,AAAA"},"arguments":"![a](data:image/png;base64,AAAA)"}"#,
            []
        ),
        Row(
            "OpenAI's generated images",
            #"{"data":[{"b64_json":"AAAA","revised_prompt":"p"}]}"#,
            ["b64JSON AAAA"],
            #"{"data":[{"url":"u:0","revised_prompt":"p"}]}"#
        ),
        Row(
            "the same with an empty url beside, as LiteLLM sends it",
            #"{"data":[{"b64_json" : "A\/AA","url":null},{"url":"","b64_json":"BBBB"}]}"#,
            [#"b64JSON A\/AA"#, "b64JSON BBBB"],
            #"{"data":[{"b64_json" : null,"url":"u:0"},{"url":"u:1","b64_json":null}]}"#
        ),
        Row(
            "not with another url beside, nor twice",
            #"{"data":[{"b64_json":"AAAA","url":"https://a"},{"b64_json":"AAAA","b64_json":"BBBB"}]}"#,
            []
        ),
        Row("not a data URL where Base64 belongs", #"{"b64_json":"data:image/png;base64,AAAA"}"#, []),
        Row("no Base64", #"{"data":[{"b64_json":null,"url":"https://a"},{"b64_json":""}]}"#, []),
        Row(
            "Gemini's parts",
            #"{"candidates":[{"content":{"parts":[{"text":"a"},{"inlineData":{"mimeType":"image/png","data":"AAAA"},"thoughtSignature":"s"}]}}]}"#,
            ["inlineData AAAA"],
            #"{"candidates":[{"content":{"parts":[{"text":"a"},{"fileData":{"mimeType":"image/png","fileUri":"u:0"},"thoughtSignature":"s"}]}}]}"#
        ),
        Row("Gemini's sound", #"{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}}"#, []),
        Row(
            "other dialects' data, beside something that shows",
            #"{"a":";base64,","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}],"output":[{"type":"image_generation_call","result":"BBBB"},{"type":"x","result":"CCCC"}]}"#,
            ["source AAAA", "result BBBB"],
            #"{"a":";base64,","content":[{"type":"image","source":{"type":"url","url":"u:0"}}],"output":[{"type":"image_generation_call","result":"BBBB"},{"type":"x","result":"CCCC"}]}"#
        ),
        Row(
            "data that is a data URL in itself",
            #"{"inlineData":{"mimeType":"image/png","data":"data:image/png;base64,AAAA"}}"#,
            ["dataURL AAAA"],
            #"{"inlineData":{"mimeType":"image/png","data":"u:0"}}"#
        ),
        Row("not JSON", #"{"url":"data:image/png;base64,AAAA"} x"#, []),
        Row("nothing", "", []),
    ]

    @Test("in complete answers", arguments: answers)
    func findsInAnswers(_ row: Row) {
        let answer = Array(row.answer.utf8)

        let images = answer.withUnsafeBytes { AnswerImage.images(inAnswer: $0) }

        #expect(Self.words(images, in: answer) == row.images)
        #expect(Self.rewritten(answer, images) == row.result)
    }

    static let events = [
        Row(
            "the images of a delta",
            "data: {\"delta\":{\"images\":[{\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}]}}\n\n",
            ["dataURL AAAA"],
            "data: {\"delta\":{\"images\":[{\"image_url\":{\"url\":\"u:0\"}}]}}\n\n"
        ),
        Row(
            "on several lines, with any line ends",
            "event: a\r\ndata:{\"url\":\"data:image/png;base64,AAAA\"}\r\ndata: {\"b64_json\":\"BBBB\"}\rdata: x;base64,\n\n",
            ["dataURL AAAA", "b64JSON BBBB"],
            "event: a\r\ndata:{\"url\":\"u:0\"}\r\ndata: {\"url\":\"u:1\"}\rdata: x;base64,\n\n"
        ),
        Row(
            "Markdown that is complete",
            #"data: {"delta":{"content":"![a](data:image/png;base64,AAAA)"}}"#,
            ["markdown AAAA"],
            #"data: {"delta":{"content":"![a](u:0)"}}"#
        ),
        Row(
            "not a piece of a text that may go on",
            #"data: {"delta":"data:image/png;base64,AAAA","choices":[{"delta":{"content":"data:image/png;base64,AAAA"}}]}"#,
            []
        ),
        Row(
            "Google's",
            "data: {\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}}]}\r\n\r\n",
            ["inlineData AAAA"],
            "data: {\"parts\":[{\"fileData\":{\"mimeType\":\"image/png\",\"fileUri\":\"u:0\"}}]}\r\n\r\n"
        ),
        Row("not in comments", ": {\"url\":\"data:image/png;base64,AAAA\"}\n\n", []),
    ]

    @Test("in events of streams", arguments: events)
    func findsInEvents(_ row: Row) {
        let event = Array(row.answer.utf8)

        let images = event.withUnsafeBytes { AnswerImage.images(inEvent: $0) }

        #expect(Self.words(images, in: event) == row.images)
        #expect(Self.rewritten(event, images) == row.result)
    }

    static let recordings: [(name: String, kinds: [AnswerImage.Kind])] = [
        ("ep-chat-gemini-image", [.dataURL]),
        ("ep-gemini-native-image", [.inlineData]),
        ("ep-images-gen-openai", [.b64JSON]),
        ("owui-images-edits", [.b64JSON]),
        ("litellm-gem-image-stream", [.dataURL]),
        ("owui-chat-assistant-images", [.dataURL]),
        ("up-litellm-to-gemini-image-from-chat", [.inlineData]),
        ("litellm-gem-tool-json", []),
        ("owui-chat-stream", []),
    ]

    @Test("in recorded answers, which stay what they were but for the images", arguments: recordings)
    func findsInRecordings(name: String, kinds: [AnswerImage.Kind]) throws {
        let answer = try RecordedExchange("\(name).response.http")

        let images = answer.body.withUnsafeBytes {
            answer.isEventStream ? AnswerImage.images(inEvent: $0) : AnswerImage.images(inAnswer: $0)
        }

        #expect(images.map(\.kind) == kinds)
        for image in images {
            let base64 = try #require(image.content.base64)
            let data = Data(base64Encoded: Data(answer.body[base64.range]))
            #expect(data?.starts(with: [0x89, 0x50, 0x4E, 0x47]) == true)
            let result = answer.body.applying(image.replaced(byAddress: "u:0"))
            #expect(result.count < answer.body.count - base64.range.count + 40)
            guard !answer.isEventStream else { continue }
            #expect(try JSONSerialization.jsonObject(with: Data(result)) is NSDictionary)
        }
    }

    @Test(
        "a sign of an image is found at every place",
        arguments: [";base64,", "\"b64_json\"", "\"inlineData\""]
    )
    func findsSigns(sign: String) {
        for before in 0..<40 {
            for after in [0, 1, 16, 40] {
                let text = Array((String(repeating: "6", count: before) + sign).utf8)
                let bytes = text + Array(repeating: UInt8(ascii: "e"), count: after)
                #expect(bytes.withUnsafeBytes { AnswerImage.mayBe(in: $0) })
                let cut = Array(text.dropLast())
                #expect(!cut.withUnsafeBytes { AnswerImage.mayBe(in: $0) })
            }
        }
    }

    @Test("almost a sign is none", arguments: ["base64,", ";base64", "b64_json", "inlineData", "6464eDeD"])
    func findsNoOthers(text: String) {
        let bytes = Array(String(repeating: text + " ", count: 9).utf8)

        #expect(!bytes.withUnsafeBytes { AnswerImage.mayBe(in: $0) })
    }
}
