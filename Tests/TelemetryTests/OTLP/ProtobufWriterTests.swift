import Testing

@testable import Telemetry

@Suite("Protocol Buffers are written as their encoding page says")
struct ProtobufWriterTests {
    private func written(room: Int = 100_000, _ write: (inout ProtobufWriter) -> Void) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            var writer = ProtobufWriter(room: UnsafeMutableBufferPointer(rebasing: buffer[..<room]))
            write(&writer)
            count = writer.count
        }
    }

    static let varints: [(value: UInt64, bytes: [UInt8])] = [
        (0, [0]), (1, [1]), (127, [0x7F]), (128, [0x80, 1]), (150, [0x96, 1]), (16_383, [0xFF, 0x7F]),
        (16_384, [0x80, 0x80, 1]), (.max, [UInt8](repeating: 0xFF, count: 9) + [1]),
    ]

    @Test("a varint takes seven bits a byte, the lowest first", arguments: varints)
    func varint(value: UInt64, bytes: [UInt8]) {
        #expect(written { $0.put(varint: value) } == bytes)
        #expect(ProtobufWriter.byteCount(ofVarint: value) == bytes.count)
    }

    @Test("fixed numbers have their lowest byte first, ids their highest")
    func fixed() {
        #expect(written { $0.put(field: 7, fixed64: 0x0102) } == [0x39, 2, 1, 0, 0, 0, 0, 0, 0])
        #expect(written { $0.put(field: 16, fixed32: 0x301) } == [0x85, 1, 1, 3, 0, 0])
        #expect(written { $0.put(field: 2, bigEndian: 0x0102) } == [0x12, 8, 0, 0, 0, 0, 0, 0, 1, 2])
    }

    @Test(
        "a message has its length before it in the shortest form, however long it is",
        arguments: [0, 1, 127, 128, 129, 16_383, 16_384, 70_000]
    )
    func message(count: Int) {
        let content = (0..<count).map { UInt8(truncatingIfNeeded: $0) }

        let bytes = written { writer in
            let start = writer.beginMessage(field: 2)
            content.withUnsafeBufferPointer { writer.put($0) }
            writer.endMessage(start)
            writer.put(varint: 5)
        }

        let length = written { $0.put(varint: UInt64(count)) }
        #expect(bytes == [0x12] + length + content + [5])
    }
}
