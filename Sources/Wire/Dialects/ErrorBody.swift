/// What the body of a failed request says, whichever API wrote it.
public struct ErrorBody: Equatable, Sendable {
    /// At most 4 KiB; as JSON where it is not a string.
    public var message: String
    /// Such as `throttling_error` or `overloaded_error`; at most 256 bytes, as the next two.
    public var type: String
    /// A word or a status, which LiteLLM writes as a string and Google as a number.
    public var code: String
    /// Google's, such as `RESOURCE_EXHAUSTED`.
    public var status: String
    /// Google's, as JSON: how long to wait stands there; at most 4 KiB.
    public var details: String

    /// An error body of these words.
    public init(
        message: String = "",
        type: String = "",
        code: String = "",
        status: String = "",
        details: String = ""
    ) {
        self.message = message
        self.type = type
        self.code = code
        self.status = status
        self.details = details
    }

    /// Reads an error body.
    ///
    /// The shapes: OpenAI's `{"error":{…}}`, also as `{"error":"text"}`; Anthropic's
    /// `{"type":"error","error":{…}}`; Google's with `status`, also as the only element of an array, which is
    /// how its streams fail; FastAPI's `{"detail":…}`; and `{"code","message","status"}` at the top level, as
    /// Dify has it. What a body leaves out is empty.
    ///
    /// - Returns: nil when it is not JSON or has none of these shapes.
    public static func reading(_ body: UnsafeRawBufferPointer) -> ErrorBody? {
        guard var json = JSONScanner(body) else { return nil }
        var found: ErrorBody?
        if json.next == Ascii.openBracket {
            guard json.enterArray() else { return nil }
            var isFirst = true
            while json.nextElement(&isFirst) {
                let error = readObject(&json, in: body)
                found = found ?? error
            }
        } else {
            found = readObject(&json, in: body)
        }
        return json.isAtEnd() ? found : nil
    }

    private static func readObject(_ json: inout JSONScanner, in body: UnsafeRawBufferPointer) -> ErrorBody? {
        guard json.enterObject() else { return nil }
        var outer = ErrorFields()
        var inner: ErrorFields?
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            if key.isEqual(to: "error", in: body) {
                inner = readError(&json, in: body)
            } else {
                outer.read(key, &json, in: body)
            }
        }
        if let inner { return inner.decoded(from: body) }
        return outer.message == nil ? nil : outer.decoded(from: body)
    }

    /// - Returns: nil for `null` and `false`, with which some answers say that there was no error.
    private static func readError(_ json: inout JSONScanner, in body: UnsafeRawBufferPointer) -> ErrorFields?
    {
        var fields = ErrorFields()
        guard json.next == Ascii.openBrace else {
            fields.message = ErrorFields.value(&json)
            return fields.message == nil ? nil : fields
        }
        guard json.enterObject() else { return nil }
        var isFirst = true
        while let key = json.nextKey(&isFirst) { fields.read(key, &json, in: body) }
        return fields
    }
}

/// Where the values of an error object lie.
private struct ErrorFields {
    var message: JSONText?
    var type: JSONText?
    var code: JSONText?
    var status: JSONText?
    var details: JSONText?

    mutating func read(_ key: JSONText, _ json: inout JSONScanner, in body: UnsafeRawBufferPointer) {
        let value = Self.value(&json)
        if key.isEqual(to: "message", in: body) || key.isEqual(to: "detail", in: body) {
            message = value
        } else if key.isEqual(to: "type", in: body) {
            type = value
        } else if key.isEqual(to: "code", in: body) {
            code = value
        } else if key.isEqual(to: "status", in: body) {
            status = value
        } else if key.isEqual(to: "details", in: body) {
            details = value
        }
    }

    /// The contents of a string, or another value as it is written; nil for `null` and `false`.
    static func value(_ json: inout JSONScanner) -> JSONText? {
        if json.next == Ascii.quote { return json.text() }
        let isNothing = json.next == Ascii.lowerN || json.next == Ascii.lowerF
        let range = json.skipValue()
        return isNothing ? nil : JSONText(range: range, hasEscapes: false)
    }

    func decoded(from body: UnsafeRawBufferPointer) -> ErrorBody {
        ErrorBody(
            message: Self.string(message, limitBytes: 4096, from: body),
            type: Self.string(type, limitBytes: 256, from: body),
            code: Self.string(code, limitBytes: 256, from: body),
            status: Self.string(status, limitBytes: 256, from: body),
            details: Self.string(details, limitBytes: 4096, from: body)
        )
    }

    /// Decodes no more than the first bytes; a character that the limit cuts is left out.
    private static func string(
        _ text: JSONText?,
        limitBytes: Int,
        from body: UnsafeRawBufferPointer
    ) -> String {
        guard var text else { return "" }
        if text.range.count > limitBytes {
            var end = text.range.lowerBound + limitBytes
            while end > text.range.lowerBound, body[end] & 0xC0 == 0x80 { end -= 1 }
            text.range = text.range.lowerBound..<end
        }
        return text.string(in: body)
    }
}
