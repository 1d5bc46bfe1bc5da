internal import NIOCore
internal import Wire

/// Writes the head of a request as the upstream sees it.
///
/// What the client sent is copied line by line, in its order and spelling, less what concerns the client's own
/// connection; what the sidecar adds stands at the end.
struct UpstreamRequestHead {
    /// How the body is framed.
    enum Body {
        /// As the client framed it.
        case unchanged
        case length(Int)
    }

    let head: RequestHead
    let bytes: ByteBuffer
    let pathPrefix: String
    let clientAddress: String
    let id: RequestID
    var body = Body.unchanged
    /// Whether the answer will be read, so that it must not be compressed.
    var asksForIdentity = false
    /// Whether LiteLLM is told not to try again by itself.
    var forbidsRetries = false

    /// The head's bytes.
    func written(allocator: ByteBufferAllocator, roomForBody: Int) -> ByteBuffer {
        var out = allocator.buffer(capacity: head.byteCount + pathPrefix.utf8.count + 384 + roomForBody)
        bytes.withUnsafeReadableBytes { raw in
            writeRequestLine(raw, to: &out)
            let fields = copyFields(raw, to: &out)
            addFields(raw, fields, to: &out)
        }
        return out
    }

    /// What was seen while copying and decides what is added.
    private struct Seen {
        var forwardedFor: Range<Int>?
        var hasForwardedProto = false
        var hasForwardedHost = false
        var hasRequestID = false
        var hasTraceparent = false
        var host: Range<Int>?
    }

    private func writeRequestLine(_ raw: UnsafeRawBufferPointer, to out: inout ByteBuffer) {
        out.writeBytes(raw.slice(head.method))
        out.writeStaticString(" ")
        out.writeString(pathPrefix)
        out.writeBytes(raw.slice(head.target))
        out.writeStaticString(" HTTP/1.1\r\n")
    }

    private func copyFields(_ raw: UnsafeRawBufferPointer, to out: inout ByteBuffer) -> Seen {
        var seen = Seen()
        var run = head.fields.first?.start ?? 0
        for field in head.fields where !keeps(field, in: raw, &seen) {
            out.writeBytes(raw.slice(run..<field.start))
            run = field.end
        }
        if let last = head.fields.last { out.writeBytes(raw.slice(run..<last.end)) }
        return seen
    }

    private func keeps(_ field: HeaderField, in raw: UnsafeRawBufferPointer, _ seen: inout Seen) -> Bool {
        switch field.header {
        case .upgrade, .connection:
            // Written anew for an upgrade: `Upgrade` passes, the rest of `Connection` does not.
            return field.header == .upgrade && head.isUpgrade
        case .expect, .ours: return false
        case .contentLength:
            if case .unchanged = body { return true }
            return false
        case .acceptEncoding: return !asksForIdentity
        case .retries: return !forbidsRetries
        case .xForwardedFor:
            guard seen.forwardedFor == nil else { return true }
            seen.forwardedFor = field.value
            return false
        case .xForwardedProto: seen.hasForwardedProto = true
        case .xForwardedHost: seen.hasForwardedHost = true
        case .xRequestID: seen.hasRequestID = true
        case .traceparent: seen.hasTraceparent = true
        case .host: seen.host = field.value
        default: break
        }
        return !field.isHopByHop
    }

    private func addFields(_ raw: UnsafeRawBufferPointer, _ seen: Seen, to out: inout ByteBuffer) {
        if head.isUpgrade { out.writeStaticString("Connection: Upgrade\r\n") }
        if case .length(let count) = body {
            out.writeString("Content-Length: \(count)\r\n")
        } else if head.framing == .chunked {
            out.writeStaticString("Transfer-Encoding: chunked\r\n")
        }
        if asksForIdentity { out.writeStaticString("Accept-Encoding: identity\r\n") }
        if forbidsRetries { out.writeStaticString("x-litellm-num-retries: 0\r\n") }
        addForwarding(raw, seen, to: &out)
        if !seen.hasRequestID { out.writeField("x-request-id: ", id.text) }
        if !seen.hasTraceparent { out.writeField("traceparent: ", "00-\(id.text)-\(id.span)-01") }
        out.writeStaticString("\r\n")
    }

    private func addForwarding(_ raw: UnsafeRawBufferPointer, _ seen: Seen, to out: inout ByteBuffer) {
        out.writeStaticString("Via: 1.1 sidecar\r\nX-Forwarded-For: ")
        if let earlier = seen.forwardedFor, !earlier.isEmpty {
            out.writeBytes(raw.slice(earlier))
            out.writeStaticString(", ")
        }
        out.writeString(clientAddress)
        out.writeStaticString("\r\n")
        if !seen.hasForwardedProto { out.writeStaticString("X-Forwarded-Proto: http\r\n") }
        if !seen.hasForwardedHost, let host = seen.host {
            out.writeStaticString("X-Forwarded-Host: ")
            out.writeBytes(raw.slice(host))
            out.writeStaticString("\r\n")
        }
    }
}

extension ByteBuffer {
    /// Writes a field line; bytes that would end it, or that are not visible ASCII, become `?`.
    ///
    /// Model names come out of a request body: without this a client could write headers of its own.
    mutating func writeField(_ name: StaticString, _ value: String) {
        writeStaticString(name)
        var value = value
        value.withUTF8 { utf8 in
            if utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
                _ = writeBytes(utf8)
            } else {
                _ = writeBytes(utf8.map { $0 >= 0x20 && $0 < 0x7F ? $0 : 0x3F })
            }
        }
        writeStaticString("\r\n")
    }
}
