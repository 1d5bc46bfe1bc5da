import TestSupport
import Testing

@testable import Sidecar

@Suite("No file crashes the check")
struct ConfigurationMutationTests {
    /// Gives a configuration or problems of one line each; anything else would be a crash.
    private func check(_ text: String) {
        for line in problems(in: text) {
            #expect(line.hasPrefix("/") && line.contains(": "))
        }
    }

    @Test("bytes of the shipped file are changed, left out or doubled", arguments: 0..<100)
    func bytes(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var text = Array(shippedConfiguration.utf8)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: text.indices, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: text[place] = UInt8.random(in: 0x20...0x7E, using: &random)
            case 1: text.remove(at: place)
            default: text.insert(text[place], at: place)
            }
        }

        check(String(decoding: text, as: UTF8.self))
    }

    @Test("values of a file with every key are exchanged for others", arguments: 0..<200)
    func values(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var document = Self.everyKey(of: KeyNode.root)
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            document = Self.changed(document, using: &random)
        }

        check(document.written(indented: false))
    }

    @Test("a problem is found wherever a value is of another type", arguments: keyRows.map(\.path))
    func wrongType(path: String) throws {
        let row = try #require(keyRows.first { $0.path == path })
        let wrong: JSONValue = if case .flag = row.type { 7 } else { true }
        let document = Self.everyKey(of: KeyNode.root, except: path, wrong)

        let lines = problems(in: document.written(indented: false))
        let last = row.keys.last.map(String.init) ?? ""
        #expect(lines.contains { $0.contains("/\(last): ") }, "\(lines)")
    }

    @Test("a deep file is a problem, not an overflow", arguments: [10, 100, 513, 100_000])
    func depth(levels: Int) {
        let text = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)

        #expect(!problems(in: text).isEmpty)
        #expect(!problems(in: "{ \"version\": 1, \"media\": \(text) }").isEmpty)
        let objects =
            String(repeating: "{\"clip\":", count: levels) + "0" + String(repeating: "}", count: levels)
        let arms = "[{ \"name\": \"a\", \"weight\": 1, \"patch\": \(objects) }]"
        let experiment = "{ \"name\": \"e\", \"arms\": \(arms) }"
        #expect(!problems(in: "{ \"version\": 1, \"experiments\": [\(experiment)] }").isEmpty)
    }

    /// A file that holds every key once, most of them good.
    private static func everyKey(of node: KeyNode, except path: String = "", _ wrong: JSONValue = .null)
        -> JSONValue
    {
        if node.row.path == path, !path.isEmpty { return wrong }
        let object = JSONValue.object(
            Dictionary(
                uniqueKeysWithValues: node.children.map { ($0.name, everyKey(of: $0, except: path, wrong)) }
            )
        )
        switch node.row.type {
        case .object: return object
        case .map(_, .object): return ["litellm": object]
        case .list(.object, _): return [object]
        default: break
        }
        if let example = node.row.example { return example }
        if case .otherwise(let value) = node.row.presence { return value }
        return "x"
    }

    /// The document with one value somewhere exchanged, left out, or put under another key.
    private static func changed(_ value: JSONValue, using random: inout SplitMix) -> JSONValue {
        let others: [JSONValue] = [
            .null, true, false, 0, -1, 0.5, 1e300, 99, "", "$x", "${", "${A}", "${A:-1}", "a@b", "[::]:1", [],
            [[]], [:],
            ["": 1], ["a": ["b": []]],
        ]
        switch value {
        case .object(let object) where !object.isEmpty && Int.random(in: 0..<10, using: &random) > 0:
            var object = object
            guard let key = object.keys.sorted().randomElement(using: &random), let old = object[key] else {
                return value
            }
            switch Int.random(in: 0..<8, using: &random) {
            case 0: object[key] = nil
            case 1: object[key + "s"] = old
            default: object[key] = changed(old, using: &random)
            }
            return .object(object)
        case .list(let list) where !list.isEmpty && Int.random(in: 0..<4, using: &random) > 0:
            var list = list
            let place = Int.random(in: list.indices, using: &random)
            list[place] = changed(list[place], using: &random)
            return .list(list)
        default:
            return others.randomElement(using: &random) ?? value
        }
    }
}
