internal import NIOCore
internal import Wire

/// Writes the head of a request that leaves the house by the reverse path.
///
/// What the client says to the provider passes line by line, its key too; what says who the client is does not.
struct ReversePathHead {
    let head: RequestHead
    let bytes: ByteBuffer
    let path: ReversePath

    private static let roomForAdditions = 256

    /// The head's bytes, with room for a body behind it.
    func written(roomBehind: Int) -> ByteBuffer {
        let authority = path.upstream?.settings.url.authority ?? ""
        let capacity = head.byteCount + authority.utf8.count + Self.roomForAdditions
        return bytes.withUnsafeReadableBytes { raw in
            HeadWriter.buffer(capacity: capacity, roomBehind: roomBehind) { out in
                putRequestLine(raw, &out)
                out.put("Host: ")
                out.put(authority)
                out.put("\r\n")
                for field in head.fields where keeps(field, raw) {
                    out.put(raw.slice(field.start..<field.end))
                }
                if head.isUpgrade { out.put("Connection: Upgrade\r\n") }
                if head.framing == .chunked { out.put("Transfer-Encoding: chunked\r\n") }
                // Else a refusal for reasons of place could not be read.
                out.put("Accept-Encoding: identity\r\nVia: 1.1 sidecar\r\n\r\n")
            }
        }
    }

    private func putRequestLine(_ raw: UnsafeRawBufferPointer, _ out: inout HeadWriter) {
        out.put(raw.slice(head.method))
        out.put(byte: 0x20)
        if path.target.isEmpty || raw[path.target.lowerBound] != 0x2F { out.put(byte: 0x2F) }
        out.put(raw.slice(path.target))
        out.put(" HTTP/1.1\r\n")
    }

    private func keeps(_ field: HeaderField, _ raw: UnsafeRawBufferPointer) -> Bool {
        switch field.header {
        case .upgrade: head.isUpgrade
        case .host, .expect, .via, .acceptEncoding, .ours, .xForwardedFor, .xForwardedProto, .xForwardedHost,
            .xRequestID, .traceparent, .chatID, .userID, .retries, .litellmAPIKey:
            false
        case .other: !field.isHopByHop && !Self.tells(raw.slice(field.name))
        default: !field.isHopByHop
        }
    }

    /// Whether a field says who the client is, or where.
    private static func tells(_ name: UnsafeRawBufferPointer) -> Bool {
        let name = String(decoding: name, as: UTF8.self).lowercased()
        return ofClient.contains(name) || prefixesOfClient.contains { name.hasPrefix($0) }
    }

    private static let prefixesOfClient = ["x-openwebui-", "x-forwarded-", "x-litellm-", "cf-"]
    private static let ofClient: Set<String> = [
        "forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "cookie", "tracestate", "baggage",
        "proxy-authorization", "origin", "referer",
    ]
}
