import TestSupport
import Testing
import Wire

@Suite("The end of a head is found, however its bytes arrive")
struct HTTPHeadFinderTests {
    /// What a finder says when the bytes arrive in pieces that end at these places.
    private func progress(_ bytes: [UInt8], arrivingUpTo ends: some Sequence<Int>) -> HeadFinder.Progress {
        var finder = HeadFinder()
        return bytes.withUnsafeBytes { raw in
            for end in ends {
                let progress = finder.advance(over: raw.slice(0..<end))
                guard progress == .incomplete else { return progress }
            }
            return .incomplete
        }
    }

    static let rows: [(bytes: String, progress: HeadFinder.Progress)] = [
        ("", .incomplete),
        ("GET / HTTP/1.1", .incomplete),
        ("GET / HTTP/1.1\r", .incomplete),
        ("GET / HTTP/1.1\r\n", .incomplete),
        ("GET / HTTP/1.1\r\nA: b\r\n\r", .incomplete),
        ("GET / HTTP/1.1\r\n\r\n", .complete(18)),
        ("GET / HTTP/1.1\r\n\r\n\r\n\r\n", .complete(18)),
        ("GET / HTTP/1.1\r\n\r\n\n", .complete(18)),
        ("\r\n", .complete(2)),
        ("a\r\n\rb\r\n\r\n", .complete(9)),
        ("\n", .bareLineFeed),
        ("GET / HTTP/1.1\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nA: b\n\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\n\n", .bareLineFeed),
    ]

    @Test("whole, in two pieces and byte by byte", arguments: rows)
    func finds(bytes: String, expected: HeadFinder.Progress) {
        let bytes = Array(bytes.utf8)

        #expect(progress(bytes, arrivingUpTo: [bytes.count]) == expected)
        #expect(progress(bytes, arrivingUpTo: 0...bytes.count) == expected)
        for cut in 0...bytes.count { #expect(progress(bytes, arrivingUpTo: [cut, bytes.count]) == expected) }
    }

    @Test("a captured head is found at its last byte and not before")
    func findsCaptured() throws {
        for name in try Fixtures.names(in: "captures") where name.hasSuffix(".http") {
            let capture = try Array(Fixtures.bytes("captures/\(name)").prefix(8192))
            let whole = progress(capture, arrivingUpTo: [capture.count])
            guard case .complete(let end) = whole else {
                Issue.record("no head within 8 KiB of \(name)")
                continue
            }

            #expect(progress(capture, arrivingUpTo: 0...end) == whole, "\(name)")
            #expect(progress(capture, arrivingUpTo: 0..<end) == .incomplete)
            let isSame = (0..<end).allSatisfy {
                progress(capture, arrivingUpTo: [$0, capture.count]) == whole
            }
            #expect(isSame, "\(name)")
        }
    }
}
