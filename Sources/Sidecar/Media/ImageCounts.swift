internal import Telemetry

/// What became of the images of one request, or of its answer.
struct ImageCounts: Sendable {
    /// The results that `sidecar_images_total` tells apart.
    enum Result: String, CaseIterable, Sendable {
        case uploaded, deduplicated, resigned, inlined, passed, failed
        /// Left out, for a model that sees none; no result of `sidecar_images_total`.
        case dropped
    }

    /// Not a vector: async functions that hold one of more than 16 bytes lose it (Swift 6.3.1).
    private var counts = InlineArray<7, Int>(repeating: 0)

    subscript(result: Result) -> Int {
        get { counts[result.place] }
        set { counts[result.place] = newValue }
    }

    var isEmpty: Bool { Result.allCases.allSatisfy { self[$0] == 0 } }

    /// As it stands in `x-sidecar-images` and in the log: `uploaded=1;deduplicated=9`.
    var text: String {
        Result.allCases.filter { self[$0] > 0 }.map { "\($0.rawValue)=\(self[$0])" }.joined(separator: ";")
    }

    /// As fields of a log line; those of the answer are told apart by their names.
    func fields(with answer: ImageCounts) -> [(name: StaticString, value: Int)] {
        Result.allCases.compactMap { self[$0] > 0 ? ($0.logName, self[$0]) : nil }
            + Result.allCases.compactMap { answer[$0] > 0 ? ($0.answerLogName, answer[$0]) : nil }
    }

    static func += (total: inout ImageCounts, more: ImageCounts) {
        for result in Result.allCases { total[result] += more[result] }
    }
}

extension ImageCounts.Result {
    /// Its place among all.
    fileprivate var place: Int {
        switch self {
        case .uploaded: 0
        case .deduplicated: 1
        case .resigned: 2
        case .inlined: 3
        case .passed: 4
        case .failed: 5
        case .dropped: 6
        }
    }

    fileprivate var logName: StaticString {
        switch self {
        case .uploaded: "uploaded"
        case .deduplicated: "deduplicated"
        case .resigned: "resigned"
        case .inlined: "inlined"
        case .passed: "passed"
        case .failed: "failed"
        case .dropped: "dropped"
        }
    }

    fileprivate var answerLogName: StaticString {
        switch self {
        case .uploaded: "answer_uploaded"
        case .deduplicated: "answer_deduplicated"
        case .passed: "answer_passed"
        case .failed: "answer_failed"
        case .resigned, .inlined, .dropped: "answer_other"
        }
    }
}
