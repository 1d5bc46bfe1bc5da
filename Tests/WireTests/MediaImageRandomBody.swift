import TestSupport
import Wire

/// A request with images of which it is known how it looks with other images, and without them.
struct RandomImageBody {
    /// What an image is.
    enum Form: Equatable {
        case address(String, type: String)
        case base64(String, type: String)
    }

    indirect enum Part {
        /// The position of the image, and a number that chooses among the ways to write it.
        case image(Int, style: Int)
        case other(String)
        /// A tool's result, with what stands before and behind its parts.
        case result(String, [Part], String)
    }

    let dialect: Dialect
    private(set) var images: [Form] = []
    private var messages: [(start: String, parts: [Part], end: String)] = []
    private var json: RandomJSON

    static let dialects: [Dialect] = [.openAIChat, .responses, .anthropicMessages, .gemini]

    init(seed: UInt64) {
        json = RandomJSON(seed: seed)
        dialect = Self.dialects.randomElement(using: &json.random) ?? .openAIChat
        for _ in 0..<Int.random(in: 0..<4, using: &json.random) {
            let name = dialect == .gemini ? "parts" : "content"
            let start = "{\"role\":\"user\",\"x\":\(json.value(depth: 3)),\"\(name)\":"
            messages.append((start, parts(depth: 0), ",\"y\":\(json.value(depth: 3))}"))
        }
    }

    mutating func form() -> Form {
        let type = ["image/png", "image/jpeg", "image/webp"].randomElement(using: &json.random) ?? ""
        let digits = ["", "AAAA", "iVBORw0KGgo=", "+/+/"].randomElement(using: &json.random) ?? ""
        let address = ["https://a.example/b?c=d&e", "x:\"\\", "gs://a/é"].randomElement(using: &json.random)
        return Bool.random(using: &json.random)
            ? .base64(digits, type: type) : .address(address ?? "", type: type)
    }

    /// The positions of some of the images.
    mutating func some() -> [Int] {
        images.indices.filter { _ in Bool.random(using: &json.random) }
    }

    private mutating func parts(depth: Int) -> [Part] {
        (0..<Int.random(in: 0..<5, using: &json.random)).map { _ in
            switch Int.random(in: 0..<(depth == 0 ? 6 : 5), using: &json.random) {
            case 0..<3:
                images.append(form())
                return .image(images.count - 1, style: Int.random(in: 0..<64, using: &json.random))
            case 5: return result()
            default: return .other("{\"type\":\"text\",\"text\":\(json.string())}")
            }
        }
    }

    private mutating func result() -> Part {
        let end = ",\"z\":\(json.value(depth: 3))}"
        return switch dialect {
        case .gemini: .result(#"{"functionResponse":{"name":"f","parts":"#, parts(depth: 1), end + "}")
        case .responses: .result(#"{"type":"function_call_output","output":"#, parts(depth: 1), end)
        default: .result(#"{"type":"tool_result","content":"#, parts(depth: 1), end)
        }
    }

    // MARK: as JSON

    /// The body with these images, less those that were removed.
    func body(_ images: [Form], without removed: Set<Int> = []) -> [UInt8] {
        let messages = messages.map { message in
            message.start + array(message.parts, images, removed, filler) + message.end
        }
        let name = dialect == .gemini ? "contents" : dialect == .responses ? "input" : "messages"
        return Array("{\"model\":\"m\",\"\(name)\" : [\(messages.joined(separator: " ,"))] }".utf8)
    }

    private var filler: String {
        switch dialect {
        case .gemini: #"{"text":"[image]"}"#
        case .responses: #"{"type":"input_text","text":"[image]"}"#
        default: #"{"type":"text","text":"[image]"}"#
        }
    }

    private func array(_ parts: [Part], _ images: [Form], _ removed: Set<Int>, _ filler: String) -> String {
        let kept = parts.filter { part in
            if case .image(let position, _) = part { return !removed.contains(position) }
            return true
        }
        guard !kept.isEmpty || parts.isEmpty else { return "[ \(filler) ]" }
        let elements = kept.map { part in
            switch part {
            case .image(let position, let style): write(images[position], style)
            case .other(let text): text
            case .result(let start, let parts, let end):
                start + array(parts, images, removed, dialect == .gemini ? "" : filler) + end
            }
        }
        return "[ \(elements.joined(separator: " , ")) ]"
    }

    private func write(_ form: Form, _ style: Int) -> String {
        switch dialect {
        case .gemini: writeBlob(form, style)
        case .anthropicMessages: writeSource(form, style)
        case .openAIChat where style % 4 == 0: writeSource(form, style)
        default: writeURL(form, style)
        }
    }

    private func writeURL(_ form: Form, _ style: Int) -> String {
        let type = dialect == .responses ? "input_image" : "image_url"
        let text =
            switch form {
            case .address(let address, _): quoted(address)
            case .base64(let digits, let type): "\"data:\(type);base64,\(digits)\""
            }
        let value = style % 3 == 0 ? text : "{ \"url\" :\(text), \"detail\":\"low\"}"
        return style % 2 == 0
            ? "{\"type\":\"\(type)\",\"image_url\":\(value)}"
            : "{\"image_url\":\(value),\"type\":\"\(type)\"}"
    }

    private func writeSource(_ form: Form, _ style: Int) -> String {
        let source =
            switch form {
            case .address(let address, _): "{\"type\":\"url\",\"url\":\(quoted(address))}"
            case .base64(let digits, let type):
                style % 2 == 0
                    ? "{ \"data\":\"\(digits)\",\"type\":\"base64\",\"media_type\":\"\(type)\"}"
                    : "{\"type\":\"base64\",\"media_type\":\"\(type)\",\"data\":\"\(digits)\"}"
            }
        return "{\"type\":\"image\",\"source\":\(source),\"cache_control\":{\"type\":\"ephemeral\"}}"
    }

    private func writeBlob(_ form: Form, _ style: Int) -> String {
        let isSnake = style % 2 == 0
        let hasSnake = style % 3 == 0
        let datum: String
        let name: String
        let type: String
        switch form {
        case .address(let address, let mimeType):
            (name, type) = (isSnake ? "file_data" : "fileData", mimeType)
            datum = "\"\(hasSnake ? "file_uri" : "fileUri")\":\(quoted(address))"
        case .base64(let digits, let mimeType):
            (name, type, datum) = (isSnake ? "inline_data" : "inlineData", mimeType, "\"data\":\"\(digits)\"")
        }
        let mimeType = "\"\(hasSnake ? "mime_type" : "mimeType")\":\"\(type)\""
        let members = style % 5 == 0 ? [datum, "\"displayName\":\"d\"", mimeType] : [mimeType, datum]
        return "{\"\(name)\":{\(members.joined(separator: ","))},\"thoughtSignature\":\"s\"}"
    }

    private func quoted(_ text: String) -> String {
        String(decoding: quotedJSON(text), as: UTF8.self)
    }
}
