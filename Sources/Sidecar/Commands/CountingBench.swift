internal import FoundationEssentials
internal import TokenCount

/// Times how long a file takes to count, so that it can be compared with other counters.
struct CountingBench {
    /// The bytes are counted again until there are so many times and they took so long together.
    private static let leastTimes = 5
    private static let leastTime = Duration.seconds(1)

    private static let mostBytes = 1 << 30

    private struct Result: Encodable {
        let bytes: Int
        let tokens: Int
        /// The first count of the process, in seconds: no part of the vocabulary has been read yet.
        let first_s: Double
        let median_s: Double
    }

    private let text: [UInt8]
    private let counter: TokenCounter

    /// - Throws: when the file cannot be read; the error says why.
    init(of path: String, _ counter: TokenCounter) throws {
        guard let bytes = try? ByteSource.file(path)?.bytes(atMost: Self.mostBytes) else {
            let limit = Self.mostBytes
            StandardError.print("sidecar: cannot read \(path); name a file of at most \(limit) bytes")
            throw Exit.missingInput
        }
        text = bytes
        self.counter = counter
    }

    func run() throws {
        let (tokens, first) = timed()
        var others: [Duration] = []
        while others.count < Self.leastTimes || others.reduce(.zero, +) < Self.leastTime {
            others.append(timed().time)
        }
        let result = Result(
            bytes: text.count,
            tokens: tokens,
            first_s: first / .seconds(1),
            median_s: others.sorted()[others.count / 2] / .seconds(1)
        )
        print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    }

    private func timed() -> (tokens: Int, time: Duration) {
        let start = ContinuousClock.now
        let tokens = counter.count(text)
        return (tokens, ContinuousClock.now - start)
    }
}
