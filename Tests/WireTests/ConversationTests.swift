import Testing
import Wire

@Suite("A conversation is found in its body")
struct ConversationTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var messages: String
        var summary: [String]

        var testDescription: String { when }
    }

    static let rows = [
        Row(when: "no messages", messages: "[]", summary: []),
        Row(
            when: "every role",
            messages: #"""
                [{"role":"system","content":"a"},{"role":"developer","content":"b"},{"role":"user","content":"c"},
                 {"role":"assistant","content":"d"},{"role":"tool","content":"e"},{"role":"function","content":"f"},
                 {"role":"User","content":"g"},{"role":1,"content":"h"},{"content":"i"},{}]
                """#,
            summary: [
                "system: text=a", "developer: text=b", "user: text=c", "assistant: text=d", "tool: text=e",
                "function: text=f", "other: text=g", "other: text=h", "other: text=i", "other:",
            ]
        ),
        Row(
            when: "strings and arrays of parts",
            messages: #"""
                [{"role":"user","name":"ann","content":["x",{"type":"text","text":"y"},{"text":"z"}]}]
                """#,
            summary: ["user: name=ann | text=x | text=y | text=z"]
        ),
        Row(
            when: "images",
            messages: #"""
                [{"role":"user","content":[{"type":"image_url","image_url":{"url":"u1","detail":"low"}},
                 {"type":"image_url","image_url":{"detail":"high","url":"u2"}},{"image_url":{"url":"u3","detail":"auto"}},
                 {"type":"image_url","image_url":"u4"},{"type":"image_url","image_url":{"url":"u5","detail":"?"}},
                 {"type":"image","source":{"type":"base64","data":"AA=="}}]}]
                """#,
            summary: [
                "user: imageURL(detail: low)=u1 | imageURL(detail: high)=u2 | imageURL(detail: auto)=u3"
                    + " | imageURL(detail: none)=u4 | imageURL(detail: none)=u5 | imageData=AA=="
            ]
        ),
        Row(
            when: "audio, files and what is not known",
            messages: #"""
                [{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}},
                 {"type":"file","file":{"filename":"f","file_data":"d","file_id":"i"}},{"type":"video","video":{"url":"v"}},
                 {"type":"text","text":null},{"type":"image_url","image_url":{"url":5}}]}]
                """#,
            summary: [
                "user: audioData=AA | fileData=d | fileID=i | fileName=f"
                    + #" | other={"type":"video","video":{"url":"v"}} | other={"type":"text","text":null}"#
                    + #" | other={"type":"image_url","image_url":{"url":5}}"#
            ]
        ),
        Row(
            when: "tool calls in both forms, and results",
            messages: #"""
                [{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f",
                 "arguments":"{\"a\":1}"}},{"function":{"arguments":{"b":2},"name":"g"},"id":"c2"},
                 {"id":"c3","type":"custom","custom":{"name":"h","input":"raw"}}]},
                 {"role":"assistant","function_call":{"name":"old","arguments":"{}"}},
                 {"role":"tool","tool_call_id":"c1","content":"21C"}]
                """#,
            summary: [
                #"assistant: toolCallID=c1 | toolName=f | toolArguments={"a":1} | toolCallID=c2 | toolName=g"#
                    + #" | toolArguments={"b":2} | toolCallID=c3 | toolName=h | toolArguments=raw"#,
                "assistant: toolName=old | toolArguments={}",
                "tool: toolResultID=c1 | text=21C",
            ]
        ),
        Row(
            when: "refusals and reasoning",
            messages: #"""
                [{"role":"assistant","refusal":"no","reasoning_content":"hm","content":[{"type":"refusal","refusal":"n2"}],
                 "thinking_blocks":[{"type":"thinking","thinking":"t","signature":"s"}],"reasoning":"r"}]
                """#,
            summary: ["assistant: refusal=no | reasoning=hm | refusal=n2 | thinking=t | reasoning=r"]
        ),
        Row(
            when: "of two members of one name the last counts",
            messages: #"""
                [{"role":"user","content":"a","role":"tool","content":[{"type":"text","text":"b","text":"c"}],"name":"n",
                 "content":"d"},{"content":["e","f"],"name":"m","content":null,"name":"o"},
                 {"content":[{"type":"image_url","image_url":{"url":"g","detail":"low"},"image_url":{"url":"h"}}]}]
                """#,
            summary: ["tool: name=n | text=d", "other: name=o", "other: imageURL(detail: none)=h"]
        ),
    ]

    @Test("in messages", arguments: rows)
    func readsMessages(_ row: Row) throws {
        let body = "{\"messages\":\(row.messages)}"

        let conversation = try #require(Conversation.scan(body))

        #expect(conversation.summary(in: body) == row.summary)
    }

    @Test("of two arrays of messages the last counts")
    func lastMessagesCount() throws {
        let body = #"{"messages":[{"role":"user","content":"a"}],"messages":[{"role":"user","content":"b"}]}"#

        let conversation = try #require(Conversation.scan(body))

        #expect(conversation.summary(in: body) == ["user: text=b"] && conversation.parts.count == 1)
    }

    static let misshapen = [
        "{}", #"{"messages":null}"#, #"{"messages":{}}"#, #"{"messages":"hi"}"#, #"{"messages":["hi"]}"#,
        #"{"messages":[{"content":5}]}"#, #"{"messages":[{"content":{"type":"text"}}]}"#,
        #"{"messages":[{"content":[5]}]}"#, #"{"messages":[{"content":true}]}"#, #"{"messages":[null]}"#,
    ]

    @Test("a shape that is not known is not understood", arguments: misshapen)
    func refusesShapes(body: String) {
        #expect(Conversation.scan(body) == nil)
    }

    @Test("the top level")
    func readsTopLevel() throws {
        let body = #"""
            {"model":"a", "model":"b\u002d2" ,"stream":false,"stream":true,"stream_options":{"include_usage":true,"x":[]},
             "tools":[{"old":1}],"functions":[{"f":1}],"tools":[ {"t":1} , {"t":2}],"metadata":{"chat_id":"c-1","n":1},
             "messages":[]}
            """#
        let bytes = Array(body.utf8)
        let conversation = try #require(Conversation.scan(bytes))

        bytes.withUnsafeBytes { bytes in
            func raw(_ range: Range<Int>?) -> String? {
                range.map { String(decoding: bytes[$0], as: UTF8.self) }
            }
            #expect(conversation.model?.string(in: bytes) == "b-2")
            #expect(conversation.isStream && conversation.includesUsage)
            #expect(conversation.toolDefinitions.map(raw) == [#"{"t":1}"#, #"{"t":2}"#, #"{"f":1}"#])
            #expect(raw(conversation.member("model", in: bytes)) == #""b\u002d2""#)
            #expect(conversation.member("user", in: bytes) == nil)
            #expect(conversation.metadataText("chat_id", in: bytes)?.string(in: bytes) == "c-1")
            #expect(conversation.metadataText("n", in: bytes) == nil)
            #expect(conversation.metadataText("session_id", in: bytes) == nil)
            #expect(conversation.members.count == 10)
            #expect(raw(conversation.messagesArray) == "[]")
            #expect(conversation.body == 0..<bytes.count)
        }
    }

    static let flags: [(body: String, stream: Bool, usage: Bool)] = [
        (#"{"messages":[]}"#, false, false),
        (#"{"messages":[],"stream":"true","stream_options":null}"#, false, false),
        (#"{"messages":[],"stream":1,"stream_options":{"include_usage":false}}"#, false, false),
        (
            #"{"messages":[],"stream":true,"stream_options":{"include_usage":true},"stream":null}"#, false,
            true
        ),
    ]

    @Test("stream and usage are on only when they are true", arguments: flags)
    func readsFlags(body: String, stream: Bool, usage: Bool) throws {
        let conversation = try #require(Conversation.scan(body))

        #expect(conversation.isStream == stream && conversation.includesUsage == usage)
    }

    static let inputs: [(value: String, summary: [String]?)] = [
        (#""hi""#, ["user: text=hi"]),
        (#"["a","b"]"#, ["user: text=a", "user: text=b"]),
        ("[1, 22,333]", ["user: tokens(count: 3)=[1, 22,333]"]),
        (
            "[[1,2],[3],[]]",
            [
                "user: tokens(count: 2)=[1,2]", "user: tokens(count: 1)=[3]", "user: tokens(count: 0)=[]",
            ]
        ),
        ("[]", []),
        ("null", []),
        ("{}", nil),
        ("[{}]", nil),
        ("[-1]", nil),
        (#"[["a"]]"#, nil),
    ]

    @Test("prompts and inputs of every form", arguments: inputs)
    func readsInputs(value: String, summary: [String]?) {
        let prompt = "{\"prompt\":\(value),\"messages\":5}"
        let input = "{\"input\":\(value)}"

        #expect(Conversation.scan(prompt, as: .completions)?.summary(in: prompt) == summary)
        #expect(Conversation.scan(input, as: .embeddings)?.summary(in: input) == summary)
    }

    @Test("of the other dialects only the top level is read")
    func readsOtherDialects() throws {
        let body = #"{"model":"claude","messages":[{"role":"user","content":5}],"stream":true}"#
        let conversation = try #require(Conversation.scan(body, as: .anthropicMessages))

        #expect(conversation.model != nil && conversation.isStream && conversation.messages.isEmpty)
    }

    static let tasks: [(messages: String, isTask: Bool)] = [
        (####"[{"role":"user","content":"### Task:\nWrite"}]"####, true),
        (####"[{"role":"user","content":[{"type":"text","text":"### Task: x"}]}]"####, true),
        (####"[{"role":"user","content":"hi"},{"role":"assistant","content":"### Task:"}]"####, false),
        (####"[{"role":"user","content":"### Task:"},{"role":"user","content":"hi"}]"####, false),
        (####"[{"role":"user","content":"Do: ### Task:"}]"####, false),
        ("[]", false),
    ]

    @Test("a background task is told by its last user message", arguments: tasks)
    func tellsTasks(messages: String, isTask: Bool) throws {
        let body = Array("{\"messages\":\(messages)}".utf8)
        let conversation = try #require(Conversation.scan(body))

        #expect(body.withUnsafeBytes { conversation.isTask(in: $0) } == isTask)
    }

    @Test("a part knows its object")
    func knowsObjects() throws {
        let body = #"{"messages":[{"content":"a"},{"content":[{"text":"b"}],"tool_calls":[{"id":"c"}]}]}"#
        let bytes = Array(body.utf8)
        let conversation = try #require(Conversation.scan(bytes))

        let objects = conversation.parts.map { String(decoding: bytes[$0.object], as: UTF8.self) }

        #expect(objects == [#"{"content":"a"}"#, #"{"text":"b"}"#, #"{"id":"c"}"#])
    }
}
