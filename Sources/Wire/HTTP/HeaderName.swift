/// The header fields that the sidecar acts on; every other field is ``other`` and passes through.
public enum HeaderName: UInt8, Sendable, CaseIterable {
    case other
    case host
    case connection
    case keepAlive
    case proxyConnection
    case te
    case trailer
    case upgrade
    case transferEncoding
    case contentLength
    case contentType
    case contentEncoding
    case expect
    case accept
    case userAgent
    case via
    case acceptEncoding
    case authorization
    case apiKey
    case xAPIKey
    case googleAPIKey
    case litellmAPIKey
    case xForwardedFor
    case xForwardedProto
    case xForwardedHost
    case xRequestID
    case traceparent
    case chatID
    case userID
    case server
    case retries
    case modelGroup
    case responseCost
    /// Any `x-sidecar-*` field: a word between client and sidecar that no upstream sees.
    case ours

    /// The field's name in lower case; empty for ``other`` and ``ours``.
    public var lowercased: StaticString {
        switch self {
        case .other, .ours: ""
        case .host: "host"
        case .connection: "connection"
        case .keepAlive: "keep-alive"
        case .proxyConnection: "proxy-connection"
        case .te: "te"
        case .trailer: "trailer"
        case .upgrade: "upgrade"
        case .transferEncoding: "transfer-encoding"
        case .contentLength: "content-length"
        case .contentType: "content-type"
        case .contentEncoding: "content-encoding"
        case .expect: "expect"
        case .accept: "accept"
        case .userAgent: "user-agent"
        case .via: "via"
        case .acceptEncoding: "accept-encoding"
        case .authorization: "authorization"
        case .apiKey: "api-key"
        case .xAPIKey: "x-api-key"
        case .googleAPIKey: "x-goog-api-key"
        case .litellmAPIKey: "x-litellm-api-key"
        case .xForwardedFor: "x-forwarded-for"
        case .xForwardedProto: "x-forwarded-proto"
        case .xForwardedHost: "x-forwarded-host"
        case .xRequestID: "x-request-id"
        case .traceparent: "traceparent"
        case .chatID: "x-openwebui-chat-id"
        case .userID: "x-openwebui-user-id"
        case .server: "server"
        case .retries: "x-litellm-num-retries"
        case .modelGroup: "x-litellm-model-group"
        case .responseCost: "x-litellm-response-cost"
        }
    }

    /// Whether the field is about one connection only (RFC 9110, section 7.6.1) and is never passed on.
    public var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .te, .trailer, .upgrade, .transferEncoding: true
        default: false
        }
    }

    /// Whether the field carries a credential of the client.
    public var isCredential: Bool {
        switch self {
        case .authorization, .apiKey, .xAPIKey, .googleAPIKey, .litellmAPIKey: true
        default: false
        }
    }

    /// Whether the field may leave the house: a foreign upstream sees no other field of the client's.
    public var mayGoAbroad: Bool {
        switch self {
        case .contentType, .accept, .userAgent, .xRequestID, .traceparent: true
        default: false
        }
    }

    /// Reads a name, ignoring case.
    ///
    /// The length picks at most three candidates, so that a field costs a few comparisons.
    static func of(_ name: UnsafeRawBufferPointer) -> HeaderName {
        switch name.count {
        case 2: name.first(.te)
        case 3: name.first(.via)
        case 4: name.first(.host)
        case 6: name.first(.expect, .accept, .server)
        case 7: name.first(.upgrade, .trailer, .apiKey)
        case 9: name.first(.xAPIKey)
        case 10: name.first(.connection, .userAgent, .keepAlive)
        case 11: name.first(.traceparent)
        case 12: name.first(.contentType, .xRequestID)
        case 13: name.first(.authorization)
        case 14: name.first(.contentLength, .googleAPIKey)
        case 15: name.first(.acceptEncoding, .xForwardedFor)
        case 16: name.first(.contentEncoding, .xForwardedHost, .proxyConnection)
        case 17: name.first(.transferEncoding, .xForwardedProto, .litellmAPIKey)
        case 19: name.first(.chatID, .userID)
        case 21: name.first(.retries, .modelGroup)
        case 23: name.first(.responseCost)
        default: name.startsWithOurs ? .ours : .other
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The candidate that the bytes spell.
    @inline(__always)
    fileprivate func first(_ a: HeaderName, _ b: HeaderName? = nil, _ c: HeaderName? = nil) -> HeaderName {
        if equalsIgnoringCase(a.lowercased) { return a }
        if let b, equalsIgnoringCase(b.lowercased) { return b }
        if let c, equalsIgnoringCase(c.lowercased) { return c }
        return startsWithOurs ? .ours : .other
    }

    fileprivate var startsWithOurs: Bool {
        let prefix: StaticString = "x-sidecar-"
        guard count >= prefix.utf8CodeUnitCount else { return false }
        return slice(0..<prefix.utf8CodeUnitCount).equalsIgnoringCase(prefix)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes are `text`, ignoring the case of ASCII letters; `text` is in lower case.
    @inline(__always)
    public func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        let expected = text.utf8Start
        for index in 0..<count {
            var byte = self[index]
            if byte &- 0x41 < 26 { byte |= 0x20 }
            if byte != expected[index] { return false }
        }
        return true
    }

    /// Whether the bytes are `text`, capitals included.
    @inline(__always)
    public func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index] != text.utf8Start[index] { return false }
        return true
    }

    /// The bytes without spaces and tabs at both ends.
    var trimmed: UnsafeRawBufferPointer {
        var low = 0
        var high = count
        while low < high, self[low] == 0x20 || self[low] == 0x09 { low += 1 }
        while low < high, self[high - 1] == 0x20 || self[high - 1] == 0x09 { high -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[low..<high])
    }

    /// The bytes of a range, counted from zero.
    @inline(__always)
    public func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range])
    }
}
