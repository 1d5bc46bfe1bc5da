/// Writes one span as a member of OTLP's `ScopeSpans` at the end of a buffer.
///
/// Spans that stand one behind the other are the middle of a `ScopeSpans` already: what an event loop has gathered
/// is sent without being read or encoded again. The field numbers are those of opentelemetry-proto 1.x,
/// `trace/v1/trace.proto` and `common/v1/common.proto`.
///
/// No input traps: a text that is too long is cut, and an attribute for which there is no room is dropped and counted
/// in the span, as OTLP provides for.
public struct SpanEncoder: ~Copyable {
    /// Of one text, in bytes of UTF-8.
    static let longestText = 512
    /// All of a span; a usual one takes less than 1,000.
    private static let roomForSpan = 8192
    /// Kept free for the status and the count of what was dropped.
    private static let roomForEnd = longestText + 64

    private var writer: ProtobufWriter
    private var droppedCount = 0
    private var failure: String?
    private var hasFailed = false

    private init(room: UnsafeMutableBufferPointer<UInt8>) {
        writer = ProtobufWriter(room: room)
    }

    /// Appends one span to `buffer`.
    ///
    /// - Parameters:
    ///   - name: two parts with a space between them; the second may be empty.
    ///   - write: adds the attributes.
    public static func append(
        to buffer: inout [UInt8],
        _ identity: borrowing SpanIdentity,
        name: (StaticString, String),
        _ role: SpanRole,
        _ times: SpanTimes,
        _ write: (inout SpanEncoder) -> Void
    ) {
        append(to: &buffer, identity, role, times, { $0.putName(name.0, name.1) }, write)
    }

    /// Appends one span to `buffer`.
    ///
    /// - Parameter write: adds the attributes.
    public static func append(
        to buffer: inout [UInt8],
        _ identity: borrowing SpanIdentity,
        name: String,
        _ role: SpanRole,
        _ times: SpanTimes,
        _ write: (inout SpanEncoder) -> Void
    ) {
        append(to: &buffer, identity, role, times, { $0.putText(field: 5, name) }, write)
    }

    private static func append(
        to buffer: inout [UInt8],
        _ identity: borrowing SpanIdentity,
        _ role: SpanRole,
        _ times: SpanTimes,
        _ putName: (inout SpanEncoder) -> Void,
        _ write: (inout SpanEncoder) -> Void
    ) {
        buffer.append(addingCapacity: roomForSpan) { output in
            output.withUnsafeMutableBufferPointer { room, initialized in
                let free = room[initialized..<initialized + roomForSpan]
                var encoder = SpanEncoder(room: UnsafeMutableBufferPointer(rebasing: free))
                let start = encoder.writer.beginMessage(field: 2)
                encoder.put(identity)
                putName(&encoder)
                encoder.put(role, times)
                write(&encoder)
                encoder.putEnd(identity)
                encoder.writer.endMessage(start)
                initialized += encoder.writer.count
            }
        }
    }

    // MARK: - Attributes

    /// Adds a text, cut after 512 bytes.
    public mutating func add(_ key: StaticString, _ value: String) {
        withUTF8(of: value) { encoder, text in
            encoder.add(key.utf8, valueCount: 1 + ProtobufWriter.byteCount(ofLengthAnd: text.count)) {
                $0.put(field: 1, text)
            }
        }
    }

    /// Adds a text that is known beforehand.
    public mutating func add(_ key: StaticString, _ value: StaticString) {
        let text = value.utf8
        add(key.utf8, valueCount: 1 + ProtobufWriter.byteCount(ofLengthAnd: text.count)) {
            $0.put(field: 1, text)
        }
    }

    /// Adds a whole number.
    public mutating func add(_ key: StaticString, _ value: Int) {
        add(key.utf8, value)
    }

    /// Adds a truth value.
    public mutating func add(_ key: StaticString, _ value: Bool) {
        add(key.utf8, valueCount: 2) { $0.put(field: 2, varint: value ? 1 : 0) }
    }

    /// Adds a number.
    public mutating func add(_ key: StaticString, _ value: Double) {
        add(key.utf8, valueCount: 9) { $0.put(field: 4, fixed64: value.bitPattern) }
    }

    /// Adds an attribute whose name is known only now.
    public mutating func add(named key: String, _ value: AttributeValue) {
        var key = key
        key.withUTF8 { key in
            switch value {
            case .text(let text):
                withUTF8(of: text) { encoder, text in
                    encoder.add(key, valueCount: 1 + ProtobufWriter.byteCount(ofLengthAnd: text.count)) {
                        $0.put(field: 1, text)
                    }
                }
            case .integer(let number): add(key, number)
            case .truth(let truth): add(key, valueCount: 2) { $0.put(field: 2, varint: truth ? 1 : 0) }
            case .number(let number):
                add(key, valueCount: 9) { $0.put(field: 4, fixed64: number.bitPattern) }
            }
        }
    }

    /// Says that what the span stands for has failed.
    ///
    /// - Parameter message: from a closed set; empty for none.
    public mutating func fail(_ message: String) {
        hasFailed = true
        failure = message
    }

    private mutating func add(_ key: UnsafeBufferPointer<UInt8>, _ value: Int) {
        let bits = UInt64(bitPattern: Int64(value))
        add(key, valueCount: 1 + ProtobufWriter.byteCount(ofVarint: bits)) { $0.put(field: 3, varint: bits) }
    }

    /// Puts a `KeyValue`, all of whose lengths are known beforehand.
    @inline(__always)
    private mutating func add(
        _ key: UnsafeBufferPointer<UInt8>,
        valueCount: Int,
        _ putValue: (inout ProtobufWriter) -> Void
    ) {
        let count =
            2 + ProtobufWriter.byteCount(ofLengthAnd: key.count)
            + ProtobufWriter.byteCount(ofLengthAnd: valueCount)
        guard writer.free >= count + ProtobufWriter.longestVarint + Self.roomForEnd else {
            droppedCount += 1
            return
        }
        writer.put(field: 9, .bytes)
        writer.put(varint: UInt64(count))
        writer.put(field: 1, key)
        writer.put(field: 2, .bytes)
        writer.put(varint: UInt64(valueCount))
        putValue(&writer)
    }

    // MARK: - The rest

    private mutating func put(_ identity: borrowing SpanIdentity) {
        writer.put(field: 1, bigEndian: identity.traceHigh, identity.traceLow)
        writer.put(field: 2, bigEndian: identity.span)
        if !identity.traceState.isEmpty { putText(field: 3, identity.traceState) }
        if identity.parent != 0 { writer.put(field: 4, bigEndian: identity.parent) }
    }

    private mutating func put(_ role: SpanRole, _ times: SpanTimes) {
        writer.put(field: 6, varint: UInt64(role.rawValue))
        writer.put(field: 7, fixed64: times.started)
        writer.put(field: 8, fixed64: times.ended)
    }

    private mutating func putName(_ first: StaticString, _ second: String) {
        guard !second.isEmpty else { return writer.put(field: 5, first.utf8) }
        withUTF8(of: second) { encoder, second in
            encoder.writer.put(field: 5, .bytes)
            encoder.writer.put(varint: UInt64(first.utf8.count + 1 + second.count))
            encoder.writer.put(first.utf8)
            encoder.writer.put((" " as StaticString).utf8)
            encoder.writer.put(second)
        }
    }

    private mutating func putText(field: Int, _ text: String) {
        withUTF8(of: text) { $0.writer.put(field: field, $1) }
    }

    private mutating func putEnd(_ identity: borrowing SpanIdentity) {
        if droppedCount > 0 { writer.put(field: 10, varint: UInt64(droppedCount)) }
        if hasFailed {
            withUTF8(of: failure ?? "") { encoder, message in
                let messageCount =
                    message.isEmpty ? 0 : 1 + ProtobufWriter.byteCount(ofLengthAnd: message.count)
                encoder.writer.put(field: 15, .bytes)
                encoder.writer.put(varint: UInt64(messageCount + 2))
                if !message.isEmpty { encoder.writer.put(field: 2, message) }
                encoder.writer.put(field: 3, varint: 2)
            }
        }
        writer.put(field: 16, fixed32: identity.flags)
    }

    /// Calls back with a text, cut between two scalars where it is too long.
    @inline(__always)
    private mutating func withUTF8(
        of text: String,
        _ use: (inout SpanEncoder, UnsafeBufferPointer<UInt8>) -> Void
    ) {
        let isUsed: Void? = text.utf8.withContiguousStorageIfAvailable { use(&self, Self.cut($0)) }
        guard isUsed == nil else { return }
        // Only a string that was bridged from elsewhere is stored in another way.
        Array(text.utf8).withUnsafeBufferPointer { use(&self, Self.cut($0)) }
    }

    private static func cut(_ utf8: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        guard utf8.count > longestText else { return utf8 }
        var count = longestText
        while count > 0, utf8[count] & 0xC0 == 0x80 { count -= 1 }
        return UnsafeBufferPointer(rebasing: utf8[..<count])
    }
}

/// The value of an attribute whose name is known only when it is set.
public enum AttributeValue: Equatable, Sendable {
    case text(String)
    case integer(Int)
    case truth(Bool)
    case number(Double)
}

extension StaticString {
    /// Its bytes; every name here is written as UTF-8 by the compiler.
    fileprivate var utf8: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
    }
}
