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

    func written(allocator: ByteBufferAllocator) -> ByteBuffer {
        var out = allocator.buffer(capacity: head.byteCount + 512)
        bytes.withUnsafeReadableBytes { raw in
            out.writeStaticString("HTTP/1.1 ")
            copyLines(raw, to: &out)
        }
        if head.status == 101 {
            out.writeStaticString("Connection: Upgrade\r\n")
        } else {
            addConnection(to: &out)
        }
        notes.write(to: &out)
        out.writeStaticString("\r\n")
        return out
    }

    private func copyLines(_ raw: UnsafeRawBufferPointer, to out: inout ByteBuffer) {
        // Behind "HTTP/1.x ".
        var run = 9
        for field in head.fields where !keeps(field) {
            out.writeBytes(raw.slice(run..<field.start))
            run = field.end
        }
        out.writeBytes(raw.slice(run..<(raw.count - 2)))
    }

    private func keeps(_ field: HeaderField) -> Bool {
        switch field.header {
        case .ours: false
        case .upgrade: head.status == 101
        default: !field.isHopByHop
        }
    }

    private func addConnection(to out: inout ByteBuffer) {
        if head.framing == .chunked, !isForHTTP10 { out.writeStaticString("Transfer-Encoding: chunked\r\n") }
        if !keepsAlive {
            out.writeStaticString("Connection: close\r\n")
        } else if isForHTTP10 {
            out.writeStaticString("Connection: keep-alive\r\n")
        }
    }
}

/// What the sidecar tells the client about how its request was answered.
struct AnswerNotes {
    var requestID: String
    /// Who answered; empty for requests that are not inspected.
    var model = ""
    var attempts = ""
    var route: String?
    var clip: String?
    /// Nanoseconds that the sidecar spent, and those until the upstream's head came.
    var overhead: Int64 = 0
    var upstream: Int64 = 0

    func write(to out: inout ByteBuffer) {
        out.writeField("x-sidecar-request-id: ", requestID)
        guard !model.isEmpty else { return }
        out.writeField("x-sidecar-model: ", model)
        out.writeField("x-sidecar-attempts: ", attempts)
        if let route { out.writeField("x-sidecar-route: ", route) }
        if let clip { out.writeField("x-sidecar-clip: ", clip) }
        out.writeStaticString("server-timing: sidecar;dur=")
        out.writeMilliseconds(overhead)
        out.writeStaticString(", upstream;dur=")
        out.writeMilliseconds(upstream)
        out.writeStaticString("\r\n")
    }
}

extension ByteBuffer {
    /// Writes a time in milliseconds with two decimals.
    fileprivate mutating func writeMilliseconds(_ nanoseconds: Int64) {
        let hundredths = max(0, nanoseconds) / 10_000
        writeString(String(hundredths / 100))
        writeStaticString(".")
        writeInteger(UInt8(truncatingIfNeeded: 0x30 + hundredths / 10 % 10))
        writeInteger(UInt8(truncatingIfNeeded: 0x30 + hundredths % 10))
    }
}
