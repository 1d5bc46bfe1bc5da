import Foundation
import TestSupport
import Testing
import Wire

@Suite("The images of a request are written in another form, or left out")
struct MediaImageEditTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var dialect: Dialect
        var part: String
        var address: String
        var base64: String

        init(_ what: String, _ dialect: Dialect, _ part: String, address: String, base64: String) {
            testDescription = what
            self.dialect = dialect
            self.part = part
            self.address = address
            self.base64 = base64
        }

        func body(_ part: String) -> [UInt8] {
            let start =
                switch dialect {
                case .gemini: #"{"contents":[{"parts":["#
                case .responses: #"{"input":[{"content":["#
                default: #"{"messages":[{"content":["#
                }
            return Array((start + part + "]}]}").utf8)
        }
    }

    static let rows = [
        Row(
            "a chat's data URL",
            .openAIChat,
            #"{"type":"image_url","image_url":{"url":"data:image\/png;base64,A\/AA","detail":"low"}}"#,
            address: #"{"type":"image_url","image_url":{"url":"https://h/\"a","detail":"low"}}"#,
            base64: #"{"type":"image_url","image_url":{"url":"data:image/gif;base64,R0lG","detail":"low"}}"#
        ),
        Row(
            "an address in the Responses API",
            .responses,
            #"{"type":"input_image", "image_url" : "https:\/\/old"}"#,
            address: #"{"type":"input_image", "image_url" : "https://h/\"a"}"#,
            base64: #"{"type":"input_image", "image_url" : "data:image/gif;base64,R0lG"}"#
        ),
        Row(
            "Anthropic's Base64",
            .anthropicMessages,
            #"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"},"x":1}"#,
            address: #"{"type":"image","source":{"type":"url","url":"https://h/\"a"},"x":1}"#,
            base64:
                #"{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"R0lG"},"x":1}"#
        ),
        Row(
            "Anthropic's address",
            .anthropicMessages,
            #"{"type":"image","source":{ "url":"https://old", "type":"url"}}"#,
            address: #"{"type":"image","source":{ "url":"https://h/\"a", "type":"url"}}"#,
            base64: #"{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"R0lG"}}"#
        ),
        Row(
            "Gemini's data, and what stands beside it",
            .gemini,
            #"{"inlineData":{"displayName":"d","mimeType":"image/png","data":"AAAA"},"thoughtSignature":"s"}"#,
            address:
                #"{"fileData":{"displayName":"d","mimeType":"image/png","fileUri":"https://h/\"a"},"thoughtSignature":"s"}"#,
            base64:
                #"{"inlineData":{"displayName":"d","mimeType":"image/gif","data":"R0lG"},"thoughtSignature":"s"}"#
        ),
        Row(
            "Gemini's data with underscores",
            .gemini,
            #"{"inline_data" : {"data":"AAAA","mime_type":"image/png"}}"#,
            address: #"{"file_data" : {"file_uri":"https://h/\"a","mime_type":"image/png"}}"#,
            base64: #"{"inline_data" : {"data":"R0lG","mime_type":"image/gif"}}"#
        ),
        Row(
            "Gemini's address in the spelling of Google's own client",
            .gemini,
            #"{"fileData": {"file_uri": "https://old", "mime_type": "image/png"}}"#,
            address: #"{"fileData": {"file_uri": "https://h/\"a", "mime_type": "image/png"}}"#,
            base64: #"{"inlineData": {"data":"R0lG", "mime_type": "image/gif"}}"#
        ),
    ]

    @Test("in the form of its own dialect", arguments: rows)
    func replaces(_ row: Row) throws {
        let body = row.body(row.part)

        let address = try MediaImageBodies.edited(body, row.dialect) { found in
            found.images.map { $0.replaced(byAddress: "https://h/\"a") }
        }
        let base64 = try MediaImageBodies.edited(body, row.dialect) { found in
            found.images.map { MediaImageBodies.base64Splices($0, "image/gif", "R0lG") }
        }

        #expect(MediaImageBodies.text(address) == MediaImageBodies.text(row.body(row.address)))
        #expect(MediaImageBodies.text(base64) == MediaImageBodies.text(row.body(row.base64)))
    }

    @Test("whatever stands around them, nothing else changes", arguments: 0..<40)
    func replacesAlways(chunk: Int) throws {
        for seed in chunk * 10..<chunk * 10 + 10 {
            var random = RandomImageBody(seed: UInt64(seed))
            let body = random.body(random.images)
            var images = random.images
            let edits = random.some().map { position in
                let new = Self.keepingType(random.form(), of: images[position])
                images[position] = new
                return (position, new)
            }

            let result = try MediaImageBodies.edited(body, random.dialect) { found in
                #expect(found.images.count == images.count && found.unclear == 0, "seed \(seed)")
                return edits.map { Self.splices($0.1, found.images[$0.0]) }
            }

            let expected = try MediaImageBodies.json(random.body(images))
            #expect(try MediaImageBodies.json(result) == expected, "seed \(seed)")
        }
    }

    /// An address does not say what it leads to, so the type that stands there stays.
    private static func keepingType(
        _ new: RandomImageBody.Form,
        of old: RandomImageBody.Form
    ) -> RandomImageBody.Form {
        guard case .address(let address, _) = new else { return new }
        return switch old {
        case .address(_, let type), .base64(_, let type): .address(address, type: type)
        }
    }

    private static func splices(_ form: RandomImageBody.Form, _ image: CarriedImage) -> [Splice] {
        switch form {
        case .address(let address, _): image.replaced(byAddress: address)
        case .base64(let digits, let type): MediaImageBodies.base64Splices(image, type, digits)
        }
    }

    static let removals: [(positions: [Int], parts: String)] = [
        ([], "[ 0 , T,1 ,2, U , 3 ]"),
        ([0], "[ T,1 ,2, U , 3 ]"),
        ([1], "[ 0 , T,2, U , 3 ]"),
        ([1, 2], "[ 0 , T,U , 3 ]"),
        ([3], "[ 0 , T,1 ,2, U ]"),
        ([0, 1, 2, 3], "[ T,U ]"),
    ]

    private static func parts(_ text: String) -> [UInt8] {
        let parts = text.map { character in
            switch character {
            case "T", "U": "{\"text\":\"\(character)\"}"
            case "0"..."9": "{\"type\":\"image_url\",\"image_url\":\"x:\(character)\"}"
            default: String(character)
            }
        }
        return Array("{\"messages\":[{\"content\":\(parts.joined())}]}".utf8)
    }

    @Test("parts are left out with their commas", arguments: removals)
    func removes(positions: [Int], parts: String) throws {
        let body = Self.parts("[ 0 , T,1 ,2, U , 3 ]")

        let result = try MediaImageBodies.edited(body, .openAIChat) { [$0.removing(positions)] }

        #expect(MediaImageBodies.text(result) == MediaImageBodies.text(Self.parts(parts)))
    }

    static let emptied: [(dialect: Dialect, body: String, result: String)] = [
        (
            .openAIChat, #"{"messages":[{"content":[ {"type":"image_url","image_url":"x:1"} ]}]}"#,
            #"{"messages":[{"content":[ {"type":"text","text":"[image]"} ]}]}"#
        ),
        (
            .openAIChat,
            #"{"messages":[{"content":"a","images":[{"image_url":"x:1"},{"image_url":"x:2"}]}]}"#,
            #"{"messages":[{"content":"a","images":[]}]}"#
        ),
        (
            .openAIChat, #"{"messages":[{"content":{"image_url":"x:1"},"images":{"image_url":"x:2"}}]}"#,
            #"{"messages":[{"content":{"type":"text","text":"[image]"},"images":null}]}"#
        ),
        (
            .responses, #"{"input":[{"output":[{"type":"input_image","image_url":"x:1"}]}]}"#,
            #"{"input":[{"output":[{"type":"input_text","text":"[image]"}]}]}"#
        ),
        (
            .anthropicMessages,
            #"{"messages":[{"content":[{"type":"tool_result","content":[{"type":"image","source":{"type":"url","url":"x:1"}}]}]}]}"#,
            #"{"messages":[{"content":[{"type":"tool_result","content":[{"type":"text","text":"[image]"}]}]}]}"#
        ),
        (
            .gemini,
            #"{"contents":[{"parts":[{"fileData":{"mimeType":"image/a","fileUri":"x:1"}}]},{"parts":[{"functionResponse":{"parts":[{"fileData":{"mimeType":"image/a","fileUri":"x:1"}}]}}]}]}"#,
            #"{"contents":[{"parts":[{"text":"[image]"}]},{"parts":[{"functionResponse":{"parts":[]}}]}]}"#
        ),
    ]

    @Test("contents that would be empty say that there was an image", arguments: emptied)
    func fills(dialect: Dialect, body: String, result: String) throws {
        let edited = try MediaImageBodies.edited(Array(body.utf8), dialect) {
            [$0.removing(Array($0.images.indices))]
        }

        #expect(MediaImageBodies.text(edited) == result)
    }

    @Test("whichever are left out, exactly the others stay", arguments: 0..<40)
    func removesAlways(chunk: Int) throws {
        for seed in chunk * 10..<chunk * 10 + 10 {
            var random = RandomImageBody(seed: UInt64(seed))
            let removed = random.some()

            let result = try MediaImageBodies.edited(random.body(random.images), random.dialect) {
                [$0.removing(removed)]
            }

            let expected = random.body(random.images, without: Set(removed))
            #expect(try MediaImageBodies.json(result) == MediaImageBodies.json(expected), "seed \(seed)")
        }
    }

    @Test("recorded requests come back when their images are put in again")
    func restores() throws {
        for name in try RecordedExchange.names("request") {
            let request = try RecordedExchange(name)
            let dialect = Dialect.of(path: request.path)
            let found = request.body.withUnsafeBytes { CarriedImages(scanning: $0, as: dialect) }
            guard let found, !found.images.isEmpty else { continue }
            let before = found.images.map { image in
                (image.content.mediaType ?? "", image.content.base64.map { request.body[$0.range] })
            }

            let moved = try MediaImageBodies.edited(request.body, dialect) { found in
                found.images.map { $0.replaced(byAddress: "x:1") }
            }
            let restored = try MediaImageBodies.edited(moved, dialect) { found in
                zip(found.images, before).map { image, before in
                    MediaImageBodies.base64Splices(
                        image,
                        before.0,
                        String(decoding: before.1 ?? [], as: UTF8.self)
                    )
                }
            }

            guard before.allSatisfy({ $0.1 != nil }) else { continue }
            #expect(moved.count < request.body.count)
            #expect(try MediaImageBodies.json(restored) == MediaImageBodies.json(request.body))
        }
    }
}
