import TestSupport
import Testing
import Wire

@Suite("The images of a request are found where its dialect has them")
struct MediaImageScanTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var dialect: Dialect
        var body: String
        var images: [String]
        var unclear = 0

        init(_ when: String, _ dialect: Dialect, _ body: String, _ images: [String], unclear: Int = 0) {
            self.when = when
            self.dialect = dialect
            self.body = body
            self.images = images
            self.unclear = unclear
        }

        var testDescription: String { when }
    }

    private static func chat(_ when: String, _ parts: String, _ images: [String], unclear: Int = 0) -> Row {
        Row(
            when,
            .openAIChat,
            #"{"model":"m","messages":[{"role":"user","content":[\#(parts)]}]}"#,
            images,
            unclear: unclear
        )
    }

    private static func claude(_ when: String, _ parts: String, _ images: [String], unclear: Int = 0) -> Row {
        Row(
            when,
            .anthropicMessages,
            #"{"messages":[{"role":"user","content":[\#(parts)]}]}"#,
            images,
            unclear: unclear
        )
    }

    private static func gemini(_ when: String, _ parts: String, _ images: [String], unclear: Int = 0) -> Row {
        Row(when, .gemini, #"{"contents":[{"parts":[\#(parts)]}]}"#, images, unclear: unclear)
    }

    static let chats = [
        chat(
            "a data URL in an object",
            #"{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}"#,
            ["data image/png AAAA"]
        ),
        chat(
            "the type behind, a detail before, white space between",
            #"{ "image_url" : { "detail":"low", "url" : "data:image/png;base64,AA==" } , "type":"image_url" }"#,
            ["data image/png AA=="]
        ),
        chat(
            "the URL as a string",
            #"{"type":"image_url","image_url":"https://a.example/b"}"#,
            ["address ? https://a.example/b"]
        ),
        chat(
            "escapes in keys and values",
            #"{"t\u0079pe":"image\u005furl","image_url":{"ur\u006c":"data:image\/png;base64,A\/\u002BA"}}"#,
            [#"data image/png A\/\u002BA"#]
        ),
        chat("without a type", #"{"image_url":{"url":"http://a"}}"#, ["address ? http://a"]),
        chat(
            "Anthropic's blocks, which LiteLLM takes too",
            #"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}"#,
            ["base64 image/png AAAA"]
        ),
        chat(
            "two in order",
            #"{"type":"image_url","image_url":"x:1"},{"type":"image_url","image_url":"x:2"}"#,
            ["address ? x:1", "address ? x:2"]
        ),
        chat("another type", #"{"type":"file","image_url":"x:1"}"#, [], unclear: 1),
        chat("no string", #"{"type":"image_url","image_url":{"url":null}}"#, [], unclear: 1),
        chat("an empty one", #"{"type":"image_url","image_url":{"url":""}}"#, [], unclear: 1),
        chat(
            "data that is not Base64",
            #"{"type":"image_url","image_url":{"url":"data:image/svg+xml,%3Csvg"}}"#,
            [],
            unclear: 1
        ),
        chat(
            "a key that counts twice",
            #"{"type":"image_url","image_url":{"url":"x:1","url":"x:2"}}"#,
            [],
            unclear: 1
        ),
        chat(
            "two payloads",
            #"{"type":"image_url","image_url":"x:1","image_url":"x:2"}"#,
            [],
            unclear: 1
        ),
        chat(
            "two payloads of two kinds",
            #"{"type":"image","image_url":"x:1","source":{"type":"url","url":"x:2"}}"#,
            [],
            unclear: 1
        ),
        chat("two types", #"{"type":"text","type":"image_url","image_url":"x:1"}"#, [], unclear: 1),
        chat(
            "an image within an image",
            #"{"type":"image_url","image_url":{"url":"x:1","x":{"type":"image_url","image_url":"x:2"}}}"#,
            ["address ? x:2"],
            unclear: 1
        ),
        chat("a text that looks like one", #"{"type":"text","text":"{\"image_url\":\"x:1\"}"}"#, []),
        Row(
            "below other members, such as tools",
            .openAIChat,
            #"{"tools":[{"type":"image_url","image_url":"x:1"}],"messages":[],"metadata":{"image_url":"x:2"}}"#,
            []
        ),
        Row(
            "the results and not the calls of tools",
            .openAIChat,
            #"{"messages":[{"role":"assistant","tool_calls":[{"function":{"arguments":{"image_url":"x:1"}}}]},{"role":"tool","content":[{"type":"image_url","image_url":{"url":"x:2"}}]}]}"#,
            ["address ? x:2"]
        ),
        Row(
            "the images of an assistant",
            .openAIChat,
            #"{"messages":[{"role":"assistant","content":"a","images":[{"image_url":{"url":"x:1"},"type":"image_url"}]}]}"#,
            ["address ? x:1"]
        ),
        Row("of another dialect", .embeddings, #"{"input":[{"type":"image_url","image_url":"x:1"}]}"#, []),
    ]

    static let others = [
        Row(
            "messages and results of the Responses API",
            .responses,
            #"{"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/gif;base64,AA=="},{"type":"input_image","file_id":"f"}]},{"type":"function_call","arguments":"{\"image_url\":1}"},{"type":"function_call_output","output":[{"type":"input_image","detail":"auto","image_url":"https://a"}]}]}"#,
            ["data image/gif AA==", "address ? https://a"]
        ),
        Row("a text as input", .responses, #"{"input":"data:image/gif;base64,AA=="}"#, []),
        claude(
            "Base64",
            #"{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"\/9j\/"}}"#,
            [#"base64 image/jpeg \/9j\/"#]
        ),
        claude(
            "an address",
            #"{"type":"image","source":{"type":"url","url":"https://a"}}"#,
            ["address ? https://a"]
        ),
        claude("a file", #"{"type":"image","source":{"type":"file","file_id":"f"}}"#, [], unclear: 1),
        claude(
            "a key that counts twice",
            #"{"type":"image","source":{"type":"base64","data":"AAAA","data":"BBBB"}}"#,
            [],
            unclear: 1
        ),
        claude(
            "documents, but what they hold",
            #"{"type":"document","source":{"type":"base64","data":"AAAA"}},{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url","url":"x:1"}}]}}"#,
            ["address ? x:1"]
        ),
        claude(
            "the results and not the input of tools",
            #"{"type":"tool_use","input":{"type":"image","source":{"type":"url","url":"x:1"}}},{"type":"tool_result","content":[{"type":"image","source":{"type":"url","url":"x:2"}}]}"#,
            ["address ? x:2"]
        ),
        claude("a chat's part", #"{"type":"image_url","image_url":"x:1"}"#, []),
        Row(
            "in the system prompt",
            .anthropicMessages,
            #"{"system":[{"type":"image","source":{"type":"url","url":"x:1"}}],"messages":[]}"#,
            ["address ? x:1"]
        ),
        gemini(
            "both spellings, and both at once",
            #"{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"inline_data":{"data":"BBBB","mime_type":"image/webp"}},{"fileData":{"file_uri":"https://a","mime_type":"image/png"},"thoughtSignature":"s"},{"file_data":{"fileUri":"gs://b","mimeType":"image/png"}}"#,
            [
                "base64 image/png AAAA", "base64 image/webp BBBB", "address image/png https://a",
                "address image/png gs://b",
            ]
        ),
        gemini(
            "not sound, films and documents",
            #"{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}},{"fileData":{"mimeType":"application/pdf","fileUri":"x:1"}}"#,
            []
        ),
        gemini(
            "what lacks a type or comes twice",
            #"{"fileData":{"fileUri":"https://youtu.be/a"}},{"inlineData":{"mimeType":"image/png","data":"A"},"inline_data":{"mimeType":"image/png","data":"B"}},{"inlineData":{"mimeType":"image/png","mime_type":"image/gif","data":"A"}},{"fileData":{"mimeType":"image/png","data":"A","fileUri":"x:1"}}"#,
            [],
            unclear: 4
        ),
        gemini(
            "the parts of a function's response",
            #"{"functionCall":{"args":{"inlineData":{"mimeType":"image/png","data":"A"}}}},{"functionResponse":{"name":"f","response":{"inlineData":{"mimeType":"image/png","data":"B"}},"parts":[{"inlineData":{"mimeType":"image/png","data":"C"}}]}}"#,
            ["base64 image/png C"]
        ),
        Row(
            "a part that is no element, in either spelling of the instruction",
            .gemini,
            #"{"system_instruction":{"parts":{"inlineData":{"mimeType":"image/png","data":"A"}}},"systemInstruction":{"parts":[{"inlineData":{"mimeType":"image/png","data":"B"}}]},"generationConfig":{"inlineData":{"mimeType":"image/png","data":"C"}}}"#,
            ["base64 image/png A", "base64 image/png B"]
        ),
    ]

    @Test("in chats", arguments: chats)
    func findsInChats(_ row: Row) throws {
        let found = try MediaImageBodies.found(Array(row.body.utf8), row.dialect)

        #expect(found.images == row.images)
        #expect(found.unclear == row.unclear)
    }

    @Test("in the other dialects", arguments: others)
    func findsElsewhere(_ row: Row) throws {
        let found = try MediaImageBodies.found(Array(row.body.utf8), row.dialect)

        #expect(found.images == row.images)
        #expect(found.unclear == row.unclear)
    }

    @Test(
        "a body that is not JSON is not judged",
        arguments: [
            "", "[]", "{", #"{"messages":[}"#, #"{"messages":[]} x"#, #"{"messages":[{"image_url":"x"]}"#,
        ]
    )
    func refuses(body: String) {
        let body = Array(body.utf8)

        #expect(body.withUnsafeBytes { CarriedImages(scanning: $0, as: .openAIChat) } == nil)
    }

    static let recordings: [(name: String, dialect: Dialect, images: Int, start: String)] = [
        ("images-in-assistant-to-gemini", .openAIChat, 1, "data image/png iVBORw0KGgo"),
        ("litellm-image-data-anth-ok", .openAIChat, 1, "data image/png iVBORw0KGgo"),
        ("litellm-image-data197k-gem-ok", .openAIChat, 1, "data image/png iVBORw0KGgo"),
        ("owui-chat-image-stream", .openAIChat, 1, "data image/png iVBORw0KGgo"),
        ("owui-chat-multiturn-image-by-file-id", .openAIChat, 1, "data image/png iVBORw0KGgo"),
        ("up-google-genai-sdk-filedata-url", .gemini, 1, "address image/png https://minio.example/"),
        ("up-google-genai-sdk-image-2refs", .gemini, 2, "base64 image/png iVBORw0KGgo"),
        ("up-litellm-to-anthropic-image-base64", .anthropicMessages, 1, "base64 image/png iVBORw0KGgo"),
        (
            "up-litellm-to-anthropic-image-https-url", .anthropicMessages, 1,
            "address ? https://127.0.0.1:9443/pic.png"
        ),
        ("up-litellm-to-gemini-image-from-images-edits", .gemini, 2, "base64 image/png iVBORw0KGgo"),
        ("up-litellm-to-gemini-inline-image", .gemini, 1, "base64 image/png iVBORw0KGgo"),
        ("up-litellm-to-openai-image-url", .openAIChat, 1, "address ? http"),
        ("owui-chat-stream", .openAIChat, 0, ""),
    ]

    @Test("in recorded requests", arguments: recordings)
    func recorded(name: String, dialect: Dialect, images: Int, start: String) throws {
        let request = try RecordedExchange("\(name).request.http")

        let found = try MediaImageBodies.found(request.body, dialect)

        #expect(found.images.count == images)
        #expect(found.images.allSatisfy { $0.hasPrefix(start) })
        #expect(found.unclear == 0)
    }
}
