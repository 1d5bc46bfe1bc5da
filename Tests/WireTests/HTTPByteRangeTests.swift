import Testing
import Wire

@Suite("A Range field asks for a part")
struct HTTPByteRangeTests {
    private func range(_ value: String?, of count: Int) -> ByteRange {
        guard let value else { return ByteRange(nil, of: count) }
        return Array(value.utf8).withUnsafeBytes { ByteRange($0, of: count) }
    }

    @Test(
        "by first and last byte, or from the end",
        arguments: [
            ("bytes=0-0", .part(0..<1)), ("bytes=0-", .part(0..<100)), ("bytes=10-19", .part(10..<20)),
            ("bytes=90-1000", .part(90..<100)), ("bytes=-1", .part(99..<100)),
            ("bytes=-1000", .part(0..<100)),
            ("bytes=99-", .part(99..<100)), ("bytes=0-999999999999999999", .part(0..<100)),
        ] as [(String, ByteRange)]
    )
    func parts(value: String, expected: ByteRange) {
        #expect(range(value, of: 100) == expected)
    }

    @Test("beyond the end there is nothing", arguments: ["bytes=100-", "bytes=100-200", "bytes=-0"])
    func beyond(value: String) {
        #expect(range(value, of: 100) == .unsatisfiable)
        #expect(range("bytes=0-", of: 0) == .unsatisfiable)
    }

    @Test(
        "what is something else asks for the whole",
        arguments: [
            nil, "", "bytes", "bytes=", "bytes=-", "bytes=a-", "bytes=1-b", "bytes=5-4", "bytes=0-1,3-4",
            "items=0-1",
            "bytes=0", "bytes=1-2-3", "bytes= 0-1", "bytes=+1-2", "bytes=0-9999999999999999999",
            "bytes=" + String(repeating: "0", count: 100) + "-",
        ]
    )
    func whole(value: String?) {
        #expect(range(value, of: 100) == .whole)
    }
}
