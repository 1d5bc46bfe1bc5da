/// Spans that are encoded and wait to be sent together.
public struct SpanBlock: Equatable, Sendable {
    /// One span behind the other, as ``SpanEncoder`` writes them.
    public var bytes: [UInt8]
    /// How many spans they are.
    public var count: Int

    /// A block of spans that are encoded already.
    public init(bytes: [UInt8] = [], count: Int = 0) {
        self.bytes = bytes
        self.count = count
    }

    /// The same spans in no more memory than they take.
    ///
    /// A buffer that spans are encoded into has room for another; of one that waits the room would be lost.
    public func compacted() -> SpanBlock {
        SpanBlock(bytes: bytes.withUnsafeBufferPointer { Array($0) }, count: count)
    }
}

/// Who sends the spans, and the body of the request that sends them: OTLP's `ExportTraceServiceRequest`.
///
/// The field numbers are those of opentelemetry-proto 1.x, `collector/trace/v1/trace_service.proto`,
/// `trace/v1/trace.proto` and `resource/v1/resource.proto`.
public struct TraceExport: Sendable {
    /// `ResourceSpans.resource` with its tag.
    private let resource: [UInt8]
    /// `ScopeSpans.scope` with its tag.
    private let scope: [UInt8]

    /// What every request says of its sender.
    ///
    /// - Parameters:
    ///   - resource: what is known of the process; a later value of a name replaces an earlier one.
    ///   - scope: the name of what makes the spans, and its version.
    public init(resource: [(name: String, value: String)], scope: (name: String, version: String)) {
        var values: [String: String] = [:]
        for (name, value) in resource { values[name] = value }
        let attributes = values.sorted { $0.key < $1.key }.flatMap { name, value in
            Self.message(1, Self.text(1, name) + Self.message(2, Self.text(1, value)))
        }
        self.resource = Self.message(1, attributes)
        self.scope = Self.message(1, Self.text(1, scope.name) + Self.text(2, scope.version))
    }

    /// The body that sends some spans.
    ///
    /// - Complexity: O(*n*) in the bytes of the blocks; one allocation of their size.
    public func body(of blocks: [SpanBlock]) -> [UInt8] {
        let spanBytes = blocks.reduce(0) { $0 + $1.bytes.count }
        let scopeSpans = Self.header(2, scope.count + spanBytes)
        let resourceBytes = resource.count + scopeSpans.count + scope.count + spanBytes
        var body = Self.header(1, resourceBytes)
        body.reserveCapacity(body.count + resourceBytes)
        body += resource
        body += scopeSpans
        body += scope
        for block in blocks { body += block.bytes }
        return body
    }

    private static func text(_ field: Int, _ text: String) -> [UInt8] {
        message(field, Array(text.utf8))
    }

    private static func message(_ field: Int, _ content: [UInt8]) -> [UInt8] {
        header(field, content.count) + content
    }

    /// The tag and the length that stand before a text or a message.
    private static func header(_ field: Int, _ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 2 * ProtobufWriter.longestVarint) { room, initialized in
            var writer = ProtobufWriter(room: room)
            writer.put(field: field, .bytes)
            writer.put(varint: UInt64(count))
            initialized = writer.count
        }
    }
}
