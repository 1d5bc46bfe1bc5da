internal import NIOCore
internal import Wire

/// Writes the head of a request to an upstream outside the house, which is called with the sidecar's own credential.
///
/// It is made anew: of the client's fields only those pass that say how to read the body and how to answer. No
/// credential, cookie, address or `x-openwebui-*` field can slip through a list that does not name it.
struct ForeignRequestHead {
    let head: RequestHead
    let bytes: ByteBuffer
    let url: UpstreamURL
    let dialect: Dialect
    /// Nil for an upstream that asks for none.
    let bearer: String?
    /// Whether the client's own credentials are meant for this upstream: it stands in no LiteLLM's place but its own.
    let passesCredentials: Bool
    let requestID: String
    let traceID: String
    /// The span that the upstream is told of; nil without tracing.
    var traceParent: TraceParent?
    /// A LiteLLM keeps its paths, and is told whether to try again by itself.
    let isLiteLLM: Bool
    let forbidsRetries: Bool
    /// The length of a body that is not framed as the client framed it.
    let bodyCount: Int?

    private static let roomForAdditions = 512

    /// The head's bytes, with room for a body behind it.
    func written(roomBehind: Int) -> ByteBuffer {
        let capacity =
            head.byteCount + url.pathPrefix.utf8.count + url.host.utf8.count + (bearer?.utf8.count ?? 0)
            + Self.roomForAdditions
        return bytes.withUnsafeReadableBytes { raw in
            HeadWriter.buffer(capacity: capacity, roomBehind: roomBehind) { out in
                putRequestLine(raw, &out)
                putOwnFields(&out)
                putAllowedFields(raw, &out)
                out.put("\r\n")
            }
        }
    }

    /// The path of the URL stands in place of the client's leading `/v1`, or of whatever names a deployment.
    private func putRequestLine(_ raw: UnsafeRawBufferPointer, _ out: inout HeadWriter) {
        out.put(raw.slice(head.method))
        out.put(byte: 0x20)
        out.put(url.pathPrefix)
        if isLiteLLM {
            out.put(raw.slice(head.target))
        } else if let path = dialect.operationPath {
            out.put(path)
        } else {
            out.put(UnsafeRawBufferPointer(rebasing: raw.slice(head.target).withoutVersion))
        }
        out.put(" HTTP/1.1\r\n")
    }

    private func putOwnFields(_ out: inout HeadWriter) {
        out.put("Host: ")
        out.put(url.authority)
        if let bearer {
            out.put("\r\nAuthorization: Bearer ")
            out.put(bearer)
        }
        putFraming(&out)
        out.put("\r\nAccept-Encoding: identity\r\nx-request-id: ")
        out.put(requestID)
        out.put("\r\ntraceparent: ")
        if let traceParent {
            out.put(traceparent: traceID, traceParent)
        } else {
            out.put(traceparent: traceID)
        }
        if forbidsRetries { out.put("\r\nx-litellm-num-retries: 0") }
        out.put("\r\n")
    }

    private func putFraming(_ out: inout HeadWriter) {
        switch (bodyCount, head.framing) {
        case (let count?, _), (nil, .length(let count)):
            out.put("\r\nContent-Length: ")
            out.put(number: count)
        case (nil, .chunked): out.put("\r\nTransfer-Encoding: chunked")
        case (nil, .none), (nil, .untilClose): break
        }
    }

    private func putAllowedFields(_ raw: UnsafeRawBufferPointer, _ out: inout HeadWriter) {
        for field in head.fields where isAllowed(field) {
            // Written above, with the ids that the sidecar goes by.
            if field.header == .xRequestID || field.header == .traceparent { continue }
            out.put(raw.slice(field.start..<field.end))
        }
    }
}

extension ForeignRequestHead {
    private func isAllowed(_ field: HeaderField) -> Bool {
        !field.isHopByHop && (field.header.mayGoAbroad || passesCredentials && field.header.isCredential)
    }
}

extension HeadWriter {
    /// Puts a `traceparent` (W3C Trace Context, section 3.2); the sidecar's own span takes the second half of the
    /// trace id.
    mutating func put(traceparent traceID: String) {
        put("00-")
        let start = count
        put(traceID)
        put(byte: 0x2D)
        putAgain(start + traceID.utf8.count / 2..<start + traceID.utf8.count)
        put("-01")
    }
}

extension UnsafeRawBufferPointer {
    /// A request target less a leading `/v1`.
    fileprivate var withoutVersion: Slice<UnsafeRawBufferPointer> {
        let version = Array("/v1".utf8)
        guard starts(with: version), count == 3 || self[3] == 0x2F || self[3] == 0x3F else {
            return self[...]
        }
        return dropFirst(3)
    }
}

extension UpstreamURL {
    /// The value of `Host` (RFC 9110, section 7.2): the port only where it is not the scheme's own.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }
}
