internal import NIOCore
internal import Wire

/// Writes the head of an answer as the client sees it: the upstream's, with the sidecar's own fields behind it.
struct ClientResponseHead {
    let head: ResponseHead
    let bytes: ByteBuffer
    /// Whether the connection to the client stays open.
    let keepsAlive: Bool
    /// Whether the client speaks HTTP/1.0 and gets a body without chunk framing.
    let isForHTTP10: Bool
    let notes: AnswerNotes
    /// The length of a body that is not framed as the upstream framed it.
    var bodyCount: Int?

    func written(roomBehind: Int) -> ByteBuffer {
        bytes.withUnsafeReadableBytes { raw in
            HeadWriter.buffer(capacity: head.byteCount + 64 + notes.maxByteCount, roomBehind: roomBehind) {
                out in
                out.put("HTTP/1.1 ")
                putLines(raw, &out)
                putConnection(&out)
                notes.put(&out)
                out.put("\r\n")
            }
        }
    }

    private func putLines(_ raw: UnsafeRawBufferPointer, _ out: inout HeadWriter) {
        // Behind "HTTP/1.x ".
        var run = 9
        for field in head.fields where !keeps(field) {
            out.put(raw.slice(run..<field.start))
            run = field.end
        }
        out.put(raw.slice(run..<(raw.count - 2)))
    }

    private func keeps(_ field: HeaderField) -> Bool {
        switch field.header {
        case .ours: false
        // RFC 9110, section 8.6: no length where there is never a body.
        case .contentLength: bodyCount == nil && head.status != 204
        case .upgrade: head.status == 101
        default: !field.isHopByHop
        }
    }

    private func putConnection(_ out: inout HeadWriter) {
        if head.status == 101 { return out.put("Connection: Upgrade\r\n") }
        if let bodyCount {
            out.put("Content-Length: ")
            out.put(number: bodyCount)
            out.put("\r\n")
        } else if head.framing == .chunked, !isForHTTP10 {
            out.put("Transfer-Encoding: chunked\r\n")
        }
        if !keepsAlive {
            out.put("Connection: close\r\n")
        } else if isForHTTP10 {
            out.put("Connection: keep-alive\r\n")
        }
    }
}

/// What the sidecar tells the client about how its request was answered.
struct AnswerNotes {
    var requestID: String
    /// Who answered; nil for requests that are not inspected.
    var model: String?
    var attempts = ""
    var route: String?
    var arm: String?
    var clip: ClipReceipt?
    /// What became of the request's images; empty when it had none.
    var images = ""
    /// Nanoseconds that the sidecar spent, and those until the upstream's head came.
    var overhead: Int64 = 0
    var upstream: Int64 = 0

    /// More than ``put(_:)`` writes.
    var maxByteCount: Int {
        640 + requestID.utf8.count + (model?.utf8.count ?? 0) + attempts.utf8.count + (route?.utf8.count ?? 0)
            + (arm?.utf8.count ?? 0) + images.utf8.count
    }

    func put(_ out: inout HeadWriter) {
        out.put("x-sidecar-request-id: ")
        out.put(untrusted: requestID)
        out.put("\r\n")
        if !images.isEmpty {
            out.put("x-sidecar-images: ")
            out.put(images)
            out.put("\r\n")
        }
        guard let model else { return }
        if !model.isEmpty {
            out.put("x-sidecar-model: ")
            out.put(untrusted: model)
            out.put("\r\n")
        }
        out.put("x-sidecar-attempts: ")
        out.put(attempts)
        out.put("\r\n")
        if let route {
            out.put("x-sidecar-route: ")
            out.put(untrusted: route)
            out.put("\r\n")
        }
        if let arm {
            out.put("x-sidecar-arm: ")
            out.put(untrusted: arm)
            out.put("\r\n")
        }
        if let clip {
            out.put("x-sidecar-clip: ")
            out.put(clip.header)
            out.put("\r\n")
        }
        out.put("server-timing: sidecar;dur=")
        out.put(milliseconds: overhead)
        out.put(", upstream;dur=")
        out.put(milliseconds: upstream)
        out.put("\r\n")
    }
}

extension HeadWriter {
    /// Puts a time in milliseconds with two decimals.
    fileprivate mutating func put(milliseconds nanoseconds: Int64) {
        let hundredths = Int(max(0, nanoseconds) / 10_000)
        put(number: hundredths / 100)
        put(byte: 0x2E)
        put(byte: UInt8(truncatingIfNeeded: 0x30 + hundredths / 10 % 10))
        put(byte: UInt8(truncatingIfNeeded: 0x30 + hundredths % 10))
    }
}
