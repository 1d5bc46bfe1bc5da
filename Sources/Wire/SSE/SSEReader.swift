/// Reads the `data` lines of a server-sent event stream that arrives in pieces.
///
/// Follows the HTML standard, section 9.2.6, in lines: they end in LF, CR or CRLF, and one byte order mark
/// before the first is skipped. It does not gather events: the payload of each `data:` line is handed out as
/// soon as the line is complete, also where an event has several. Comments and other fields are ignored. The
/// stream is only looked at, never changed.
public struct SSEReader: Sendable {
    /// The longest line that is read, without its line end.
    public let maxLineBytes: Int
    /// Whether a line was longer than ``maxLineBytes`` and was skipped.
    public private(set) var hasOversizedLine = false

    /// The start of a line whose end has not come yet.
    private var rest: [UInt8] = []
    /// Whether the present line has proved too long.
    private var isSkipping = false
    private var isFirstLine = true

    /// Stands at the start of a stream.
    public init(maxLineBytes: Int = 1 << 20) {
        self.maxLineBytes = maxLineBytes
    }

    /// Takes the next piece of the stream.
    ///
    /// - Parameter onData: called with the payload of each line that this piece completes; the bytes are valid
    ///   during the call. They lie in `bytes` unless the line was cut.
    /// - Complexity: O(*n*); only cut lines are copied.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer, onData: (UnsafeRawBufferPointer) -> Void) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        var start = 0
        while start < bytes.count {
            let end = firstLineBreak(base, from: start, to: bytes.count)
            let line = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            guard end < bytes.count else { return keep(line) }
            endLine(line, onData)
            // The LF of a CRLF ends an empty line of its own, which says nothing.
            start = end + 1
        }
    }

    /// Takes the end of the stream, and with it a last line that has no end of its own.
    ///
    /// The standard drops such a line; some servers send `data: [DONE]` so.
    public mutating func finish(onData: (UnsafeRawBufferPointer) -> Void) {
        endLine(UnsafeRawBufferPointer(start: nil, count: 0), onData)
    }

    private mutating func keep(_ part: UnsafeRawBufferPointer) {
        guard !isSkipping else { return }
        if rest.count + part.count > maxLineBytes {
            isSkipping = true
            hasOversizedLine = true
            rest = []
        } else {
            rest.append(contentsOf: part)
        }
    }

    private mutating func endLine(
        _ end: UnsafeRawBufferPointer,
        _ onData: (UnsafeRawBufferPointer) -> Void
    ) {
        let isFirst = isFirstLine
        isFirstLine = false
        if !rest.isEmpty { keep(end) }
        if isSkipping {
            isSkipping = false
        } else if !rest.isEmpty {
            rest.withUnsafeBytes { line in
                if let data = Self.payload(of: line, isFirst) { onData(data) }
            }
            // One long line shall not hold its memory for the rest of a long stream.
            rest.removeAll(keepingCapacity: rest.count <= 1 << 16)
        } else if end.count > maxLineBytes {
            hasOversizedLine = true
        } else if let data = Self.payload(of: end, isFirst) {
            onData(data)
        }
    }

    /// What follows `data:` and at most one blank; nil for every other line.
    @inline(__always)
    private static func payload(of line: UnsafeRawBufferPointer, _ isFirst: Bool) -> UnsafeRawBufferPointer? {
        var line = line
        if isFirst, line.starts(with: [0xEF, 0xBB, 0xBF]) {
            line = UnsafeRawBufferPointer(rebasing: line[3...])
        }
        let field: StaticString = "data:"
        guard line.count >= field.utf8CodeUnitCount else { return nil }
        for offset in 0..<field.utf8CodeUnitCount where line[offset] != field.utf8Start[offset] { return nil }
        let hasBlank = line.count > 5 && line[5] == Ascii.space
        return UnsafeRawBufferPointer(rebasing: line[(hasBlank ? 6 : 5)...])
    }
}
