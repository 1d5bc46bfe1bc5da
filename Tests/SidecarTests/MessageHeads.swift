import NIOCore
import TestSupport
import Wire

/// A head of these lines, as it lies in a connection's buffer.
func headBuffer(_ lines: [String]) -> ByteBuffer {
    ByteBuffer(string: (lines + ["", ""]).joined(separator: "\r\n"))
}

/// The head of a captured message.
func capturedHead(_ name: String) throws -> ByteBuffer {
    let bytes = try Fixtures.bytes("captures/\(name).http")
    var finder = HeadFinder()
    guard case .complete(let end) = bytes.withUnsafeBytes({ finder.advance(over: $0) }) else {
        return ByteBuffer()
    }
    return ByteBuffer(bytes: bytes[..<end])
}

extension ByteBuffer {
    var text: String { String(buffer: self) }

    func requestHead() throws -> RequestHead {
        try withUnsafeReadableBytes { try RequestHead(reading: $0) }
    }

    func responseHead(toHEAD: Bool = false) throws -> ResponseHead {
        try withUnsafeReadableBytes { try ResponseHead(reading: $0, toHEAD: toHEAD) }
    }
}
