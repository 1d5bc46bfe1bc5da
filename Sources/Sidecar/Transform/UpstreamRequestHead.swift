internal import NIOCore
internal import Wire

/// Writes the head of a request as the upstream sees it.
///
/// What the client sent is copied line by line, in its order and spelling, less what concerns the client's own
/// connection; what the sidecar adds stands at the end.
struct UpstreamRequestHead {
    let head: RequestHead
    let bytes: ByteBuffer
    let url: UpstreamURL
    let clientAddress: String
    /// Sent where the client named no id of its own.
    let requestID: String
    let traceID: String
    /// The span that the upstream is told of; nil without tracing, where the client's own passes.
    var traceParent: TraceParent?
    /// The length of a body that is not framed as the client framed it.
    var bodyCount: Int?
    /// Whether the answer will be read, so that it must not be compressed.
    var asksForIdentity = false
    /// Whether LiteLLM is told not to try again by itself.
    var forbidsRetries = false

    /// Room for everything that is added, with ids of at most 128 bytes each.
    private static let roomForAdditions = 768

    /// The head's bytes, with room for a body behind it.
    func written(roomBehind: Int) -> ByteBuffer {
        let capacity = 2 * head.byteCount + url.pathPrefix.utf8.count + Self.roomForAdditions
        return bytes.withUnsafeReadableBytes { raw in
            HeadWriter.buffer(capacity: capacity, roomBehind: roomBehind) { out in
                putRequestLine(raw, &out)
                let seen = putFields(raw, &out)
                putAdditions(raw, seen, &out)
            }
        }
    }

    /// What was seen while copying and decides what is added.
    private struct Seen {
        var hasForwardedFor = false
        var hasForwardedProto = false
        var hasForwardedHost = false
        var hasRequestID = false
        var hasTraceparent = false
        var host: Range<Int>?
    }

    private func putRequestLine(_ raw: UnsafeRawBufferPointer, _ out: inout HeadWriter) {
        out.put(raw.slice(head.method))
        out.put(byte: 0x20)
        // `*` is the server as a whole, not a path under a prefix.
        if raw[head.target.lowerBound] != 0x2A { out.put(url.pathPrefix) }
        out.put(raw.slice(head.target))
        out.put(" HTTP/1.1\r\n")
    }

    private func putFields(_ raw: UnsafeRawBufferPointer, _ out: inout HeadWriter) -> Seen {
        var seen = Seen()
        var run = head.fields.first?.start ?? 0
        for field in head.fields where !keeps(field, raw, &seen) {
            out.put(raw.slice(run..<field.start))
            run = field.end
        }
        if let last = head.fields.last { out.put(raw.slice(run..<last.end)) }
        return seen
    }

    private func keeps(_ field: HeaderField, _ raw: UnsafeRawBufferPointer, _ seen: inout Seen) -> Bool {
        switch field.header {
        // Written anew for an upgrade: `Upgrade` passes, the rest of `Connection` does not.
        case .upgrade: return head.isUpgrade
        case .expect, .ours: return false
        case .contentLength: return bodyCount == nil
        case .acceptEncoding: return !asksForIdentity && !field.isHopByHop
        case .retries: return !forbidsRetries && !field.isHopByHop
        // Written anew with the client's address behind; `Connection` cannot name it away.
        case .xForwardedFor:
            seen.hasForwardedFor = seen.hasForwardedFor || !field.value.isEmpty
            return false
        default:
            guard !field.isHopByHop else { return false }
            return keepsOwn(field, raw.slice(field.value), &seen)
        }
    }

    /// Keeps what the sidecar would otherwise add itself; ids only if they are those that it goes by.
    private func keepsOwn(_ field: HeaderField, _ value: UnsafeRawBufferPointer, _ seen: inout Seen) -> Bool {
        switch field.header {
        case .xForwardedProto: seen.hasForwardedProto = true
        case .xForwardedHost: seen.hasForwardedHost = true
        case .host: seen.host = field.value
        case .xRequestID:
            guard !seen.hasRequestID, value.elementsEqual(requestID.utf8) else { return false }
            seen.hasRequestID = true
        case .traceparent:
            guard traceParent == nil, !seen.hasTraceparent, value.dropFirst(3).starts(with: traceID.utf8)
            else { return false }
            seen.hasTraceparent = true
        default: break
        }
        return true
    }

    private func putAdditions(_ raw: UnsafeRawBufferPointer, _ seen: Seen, _ out: inout HeadWriter) {
        if head.isUpgrade { out.put("Connection: Upgrade\r\n") }
        // HTTP/1.0 can do without, HTTP/1.1 cannot (RFC 9112, section 3.2).
        if seen.host == nil { out.put("Host:\r\n") }
        if let bodyCount {
            out.put("Content-Length: ")
            out.put(number: bodyCount)
            out.put("\r\n")
        } else if head.framing == .chunked {
            out.put("Transfer-Encoding: chunked\r\n")
        }
        if asksForIdentity { out.put("Accept-Encoding: identity\r\n") }
        if forbidsRetries { out.put("x-litellm-num-retries: 0\r\n") }
        putForwarding(raw, seen, &out)
        if !seen.hasRequestID {
            out.put("x-request-id: ")
            out.put(requestID)
            out.put("\r\n")
        }
        if !seen.hasTraceparent {
            out.put("traceparent: ")
            if let traceParent {
                out.put(traceparent: traceID, traceParent)
            } else {
                out.put(traceparent: traceID)
            }
            out.put("\r\n")
        }
        out.put("\r\n")
    }

    private func putForwarding(_ raw: UnsafeRawBufferPointer, _ seen: Seen, _ out: inout HeadWriter) {
        out.put("Via: 1.1 sidecar\r\nX-Forwarded-For: ")
        if seen.hasForwardedFor {
            for field in head.fields where field.header == .xForwardedFor && !field.value.isEmpty {
                out.put(raw.slice(field.value))
                out.put(", ")
            }
        }
        out.put(clientAddress)
        out.put("\r\n")
        if !seen.hasForwardedProto { out.put("X-Forwarded-Proto: http\r\n") }
        if !seen.hasForwardedHost, let host = seen.host {
            out.put("X-Forwarded-Host: ")
            out.put(raw.slice(host))
            out.put("\r\n")
        }
    }
}
