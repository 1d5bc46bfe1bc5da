internal import NIOCore
internal import Wire

/// The request's id and its trace's: the client's own where they are well formed.
struct TraceIDs {
    let request: String
    let trace: String

    init(head: RequestHead, bytes: ByteBuffer, made: RequestID) {
        var request: String?
        var trace: String?
        bytes.withUnsafeReadableBytes { raw in
            for field in head.fields {
                let value = raw.slice(field.value)
                switch field.header {
                case .xRequestID where value.isPlainID: request = String(decoding: value, as: UTF8.self)
                case .traceparent: trace = value.traceID
                default: break
                }
            }
        }
        let own = request == nil || trace == nil ? made.text : ""
        self.request = request ?? own
        self.trace = trace ?? own
    }
}

extension UnsafeRawBufferPointer {
    /// Whether it can stand in a header and a log line as it is.
    fileprivate var isPlainID: Bool {
        (1...128).contains(count) && allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// The trace id of a `traceparent` (W3C Trace Context, section 3.2.2).
    fileprivate var traceID: String? {
        guard count >= 55, self[2] == 0x2D, self[35] == 0x2D else { return nil }
        let id = self[3..<35]
        let isHexadecimal = id.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard isHexadecimal, id.contains(where: { $0 != 0x30 }) else { return nil }
        return String(decoding: id, as: UTF8.self)
    }
}
