internal import Dispatch
internal import Glibc

/// Writes log lines to a descriptor from a thread of its own.
///
/// An event loop hands over what it has gathered and goes on: a reader that is slow or gone never holds up a
/// request. What does not fit into the queue is dropped and counted.
final class LogWriter: Sendable {
    private static let maxQueuedBytes = 8 * 1024 * 1024

    private let descriptor: CInt
    private let queue = DispatchQueue(label: "log")
    private let queuedBytes = Gauge()
    private let dropped = Gauge()
    /// Whether the newest line was written in part; touched on the queue only.
    private let isTorn = Switch()

    init(descriptor: CInt = STDOUT_FILENO) {
        self.descriptor = descriptor
    }

    /// Lines lost so far.
    var droppedLines: Int { dropped.value }

    /// Queues whole lines.
    func write(_ lines: [UInt8], lineCount: Int) {
        guard queuedBytes.increment(by: lines.count) <= Self.maxQueuedBytes else {
            queuedBytes.decrement(by: lines.count)
            dropped.increment(by: lineCount)
            return
        }
        queue.async {
            self.writeAll(lines)
            self.queuedBytes.decrement(by: lines.count)
        }
    }

    /// Waits until everything queued so far is written.
    func flush() {
        queue.sync {}
    }

    private func writeAll(_ lines: [UInt8]) {
        // What a full disk cut off must not run into the next line.
        let end = UInt8(ascii: "\n")
        let bytes = isTorn.value ? [end] + lines : lines
        let written = bytes.withUnsafeBytes { write($0) }
        guard written < bytes.count || isTorn.value else { return }
        // The line end before them is none of theirs.
        dropped.increment(by: bytes[max(written, bytes.count - lines.count)...].count { $0 == end })
        isTorn.set(written > 0 ? bytes[written - 1] != UInt8(ascii: "\n") : isTorn.value)
    }

    /// - Returns: how many bytes were taken.
    private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        var offset = 0
        while offset < bytes.count, let base = bytes.baseAddress {
            let written = Glibc.write(descriptor, base + offset, bytes.count - offset)
            if written > 0 {
                offset += written
            } else if errno != EINTR {
                break
            }
        }
        return offset
    }
}

/// The lines of one event loop until they are handed to the writer.
struct LogBuffer {
    private static let flushBytes = 32 * 1024
    private static let longLine = 8 * 1024

    private let writer: LogWriter
    private var bytes: [UInt8] = []
    private var lineCount = 0

    init(writer: LogWriter) {
        self.writer = writer
    }

    /// Lets `write` append one line.
    mutating func append(_ write: (inout [UInt8]) -> Void) {
        write(&bytes)
        lineCount += 1
        if bytes.count >= Self.flushBytes { flush() }
    }

    mutating func flush() {
        guard lineCount > 0 else { return }
        writer.write(bytes, lineCount: lineCount)
        bytes = []
        bytes.reserveCapacity(Self.flushBytes + Self.longLine)
        lineCount = 0
    }
}
