import Foundation
import TestSupport
import Testing
import Wire

@Suite("A conversation is edited in place")
struct ConversationEditTests {
    private func edited(
        _ body: String,
        as dialect: Dialect = .openAIChat,
        _ edits: (Conversation, UnsafeRawBufferPointer) -> [Splice]
    ) throws -> String {
        let bytes = Array(body.utf8)
        let conversation = try #require(Conversation.scan(bytes, as: dialect))
        let splices = bytes.withUnsafeBytes { edits(conversation, $0) }
        return String(decoding: bytes.applying(Splice.merged([splices])), as: UTF8.self)
    }

    static let lists: [(body: String, result: String)] = [
        (#"{"model":"a","messages":[]}"#, #"{"model":"a","messages":[]}"#),
        (#"{"x":1,"model":"a","messages":[]}"#, #"{"model":"a","messages":[]}"#),
        (#"{"model":"a","x":{"y":[1]},"messages":[]}"#, #"{"model":"a","messages":[]}"#),
        (#"{"model":"a","messages":[],"x":null}"#, #"{"model":"a","messages":[]}"#),
        (#"{ "x" : 1 , "y":2, "messages" : [] , "z":3 }"#, #"{ "messages" : [] }"#),
        (
            #"{"x":1,"model":"a","y":2,"messages":[],"model":"b","z":"}"}"#,
            #"{"model":"a","messages":[],"model":"b"}"#
        ),
        (#"{"m\u006fdel":"a","messages":[],"\u0078":1}"#, #"{"m\u006fdel":"a","messages":[]}"#),
    ]

    @Test("what is not on a list goes with its comma", arguments: lists)
    func keepsListed(body: String, result: String) throws {
        #expect(try edited(body) { $0.keepingMembers(["model", "messages"], in: $1) } == result)
    }

    @Test("whatever stands around them, listed members keep their bytes", arguments: 0..<200)
    func keepsListedAlways(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let names = (0..<Int.random(in: 0...12, using: &random)).map { _ in
            "abcxyz".randomElement(using: &random) ?? "a"
        }
        let members = names.map { "\"\($0)\": {\"n\": \(Int.random(in: 0...9, using: &random))}" }
        let all = members + [#""messages":[]"#]
        let kept = all.filter { ["\"a", "\"b", "\"c", "\"m"].contains($0.prefix(2)) }

        let result = try edited("{" + all.joined(separator: " ,\n") + "}") {
            $0.keepingMembers(["a", "b", "c", "messages"], in: $1)
        }

        let object = try #require(JSONSerialization.jsonObject(with: Data(result.utf8)) as? [String: Any])
        #expect(Set(object.keys) == Set(kept.map { String($0.dropFirst().prefix { $0 != "\"" }) }))
        for member in kept { #expect(result.contains(member)) }
    }

    static let settings: [(body: String, result: String)] = [
        (#"{"messages":[]}"#, #"{"model":"b\"","messages":[]}"#),
        (#"{ "messages":[] }"#, #"{"model":"b\"", "messages":[] }"#),
        (#"{"messages":[],"model" : "a" }"#, #"{"messages":[],"model" : "b\"" }"#),
        (#"{"model":"a","messages":[],"model":null}"#, #"{"model":"a","messages":[],"model":"b\""}"#),
        (#"{"m\u006fdel":"a","messages":[]}"#, #"{"m\u006fdel":"b\"","messages":[]}"#),
    ]

    @Test("a model is replaced where it counts, or inserted", arguments: settings)
    func setsModel(body: String, result: String) throws {
        #expect(try edited(body) { $0.settingModel(to: "b\"", in: $1) } == result)
    }

    @Test("members are set in an empty object and beside others")
    func setsMembers() throws {
        let both = try edited(#"{"messages":[],"n":1}"#) { conversation, body in
            conversation.setting("disable_fallbacks", toRaw: "true", in: body)
                + conversation.setting("drop_params", toRaw: "true", in: body)
                + conversation.setting("n", toRaw: "[2]", in: body)
        }

        #expect(try edited(" { } ", as: .other) { $0.setting("a", toRaw: "1", in: $1) } == #" {"a":1 } "#)
        #expect(both == #"{"disable_fallbacks":true,"drop_params":true,"messages":[],"n":[2]}"#)
    }

    static let removals: [(positions: [Int], result: String)] = [
        ([], #"{"messages": [ {"n":0} , {"n":1},{"n":2} ,{"n":3} ] }"#),
        ([0], #"{"messages": [ {"n":1},{"n":2} ,{"n":3} ] }"#),
        ([1], #"{"messages": [ {"n":0} , {"n":2} ,{"n":3} ] }"#),
        ([3], #"{"messages": [ {"n":0} , {"n":1},{"n":2} ] }"#),
        ([1, 2], #"{"messages": [ {"n":0} , {"n":3} ] }"#),
        ([0, 2], #"{"messages": [ {"n":1},{"n":3} ] }"#),
        ([1, 3], #"{"messages": [ {"n":0} , {"n":2} ] }"#),
        ([0, 1, 3], #"{"messages": [ {"n":2} ] }"#),
        ([0, 1, 2, 3], #"{"messages": [  ] }"#),
    ]

    @Test("messages are removed with their commas", arguments: removals)
    func removesMessages(positions: [Int], result: String) throws {
        let body = #"{"messages": [ {"n":0} , {"n":1},{"n":2} ,{"n":3} ] }"#

        #expect(try edited(body) { conversation, _ in conversation.removingMessages(positions) } == result)
    }

    @Test("whichever messages are removed, exactly the others are left", arguments: 0..<200)
    func leavesTheRest(seed: Int) throws {
        var random = RandomJSON(seed: UInt64(seed))
        let messages = (0..<Int.random(in: 1..<9, using: &random.random)).map { number in
            "{\(random.space())\"role\":\"user\",\"content\":\(random.string()),\"x\":\(random.value(depth: 2)),\"n\":\(number)}"
        }
        let array = messages.map { random.space() + $0 + random.space() }.joined(separator: ",")
        let removed = messages.indices.filter { _ in Bool.random(using: &random.random) }

        let result = try edited("{\"messages\":[\(array)]}") { conversation, _ in
            conversation.removingMessages(removed)
        }

        let left = try #require(Conversation.scan(result))
        let bytes = Array(result.utf8)
        let expected = messages.indices.filter { !removed.contains($0) }.map { messages[$0] }
        #expect(left.messages.map { String(decoding: bytes[$0.range], as: UTF8.self) } == expected)
    }

    @Test("a part gets another text, in quotes")
    func replacesParts() throws {
        let body = #"{"messages":[{"content":"a\n"},{"tool_calls":[{"function":{"arguments":{"x":1}}}]}]}"#

        let result = try edited(body) { conversation, _ in
            [0, 1].map { conversation.replacing(part: $0, text: Array("b\"é".utf8)) }
        }

        #expect(
            result == #"{"messages":[{"content":"b\"é"},{"tool_calls":[{"function":{"arguments":"b\"é"}}]}]}"#
        )
    }

    @Test("prompts are not messages that can be removed")
    func keepsPrompts() throws {
        let conversation = try #require(Conversation.scan(#"{"prompt":["a","b"]}"#, as: .completions))

        #expect(conversation.removingMessages([0]).isEmpty)
    }

    @Test("every recorded conversation takes every edit and stays what it was", arguments: [0, 1, 2])
    func editsRecordedBodies(removed: Int) throws {
        for name in try RecordedExchange.names("request") {
            let request = try RecordedExchange(name)
            let dialect = Dialect.of(path: request.path)
            guard let conversation = Conversation.scan(request.body, as: dialect) else { continue }
            #expect(request.body.applying([]) == request.body)
            guard conversation.messages.count > removed, conversation.messagesArray != nil else { continue }

            let splices = request.body.withUnsafeBytes { body in
                Splice.merged([
                    conversation.settingModel(to: "other", in: body),
                    conversation.removingMessages([removed]),
                    conversation.parts.indices.map { conversation.replacing(part: $0, text: [0x78]) },
                ])
            }
            let result = request.body.applying(splices)

            let before = try #require(
                try JSONSerialization.jsonObject(with: Data(request.body)) as? NSDictionary
            )
            let after = try #require(try JSONSerialization.jsonObject(with: Data(result)) as? NSDictionary)
            #expect(after["model"] as? String == "other")
            #expect((after["messages"] as? [Any])?.count == conversation.messages.count - 1)
            #expect(after["tools"] as? NSArray == before["tools"] as? NSArray)
        }
    }
}
