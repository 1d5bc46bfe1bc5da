internal import NIOCore
internal import Wire

/// An error of the sidecar's own, in the shape that the client's dialect expects.
struct ErrorAnswer {
    private let error: SidecarError
    private let isAnthropic: Bool

    init(_ error: SidecarError, dialect: Dialect) {
        self.error = error
        isAnthropic = dialect == .anthropicMessages
    }

    /// The whole response.
    func response(keepsAlive: Bool, notes: AnswerNotes? = nil, toHEAD: Bool = false) -> ByteBuffer {
        let body = body
        var out = HeadWriter.buffer(capacity: 256 + (notes?.maxByteCount ?? 0), roomBehind: body.count) {
            out in
            out.put("HTTP/1.1 \(error.status) \(error.reason)\r\n")
            out.put("Content-Type: application/json\r\nContent-Length: \(body.count)\r\n")
            if let seconds = error.retryAfterSeconds { out.put("Retry-After: \(seconds)\r\n") }
            if error == .proxyCredentials { out.put("Proxy-Authenticate: Basic realm=\"sidecar\"\r\n") }
            if !keepsAlive { out.put("Connection: close\r\n") }
            notes?.put(&out)
            out.put("\r\n")
        }
        if !toHEAD { out.writeBytes(body) }
        return out
    }

    /// OpenAI: `{"error": {message, type, param, code}}`; Anthropic: `{"type": "error", "error": {type, message}}`.
    var body: [UInt8] {
        let message = quotedJSON(error.message)
        let type = quotedJSON(error.type)
        if isAnthropic {
            return Array(#"{"type":"error","error":{"type":"#.utf8) + type + Array(#","message":"#.utf8)
                + message
                + Array("}}".utf8)
        }
        return Array(#"{"error":{"message":"#.utf8) + message + Array(#","type":"#.utf8) + type
            + Array(#","param":null,"code":"#.utf8) + quotedJSON(error.code) + Array("}}".utf8)
    }

    /// The last event of a stream that was cut.
    ///
    /// Without an `event:` line, which some readers take for the end of the answer.
    var event: [UInt8] {
        Array("data: ".utf8) + body + Array("\n\n".utf8)
    }
}

extension SidecarError {
    /// The reason phrase (RFC 9110, section 15).
    fileprivate var reason: String {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 407: "Proxy Authentication Required"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 508: "Loop Detected"
        default: "Error"
        }
    }

    /// LiteLLM writes the status as text; OpenAI's own name where clients look for one.
    fileprivate var code: String {
        if case .contextExceeded = self { return label }
        return String(status)
    }
}
