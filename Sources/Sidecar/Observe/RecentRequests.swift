internal import NIOCore

/// The newest requests of one event loop, for `GET /requests`.
///
/// Each loop keeps its own without a lock, as with figures: the records of the requests, since a copy of their texts
/// would cost more than all that is counted. They are brought together when somebody asks. Some 200 KB a loop: the names
/// that clients choose are bounded.
struct RecentRequests {
    /// How many are kept, and shown of all loops together: the newest of all are among the newest of each.
    static let most = 100

    private var entries: [Entry] = []
    /// Where the oldest stands, once all places are taken.
    private var oldest = 0

    private struct Entry {
        let record: RequestRecord
        let time: Double
        let ended: NIODeadline
    }

    /// Keeps one that has just ended, in place of the oldest.
    ///
    /// - Parameter time: when it ended, in seconds since 1970.
    mutating func keep(_ record: RequestRecord, time: Double = Clock.epochSeconds(), ended: NIODeadline) {
        record.trace = nil
        let entry = Entry(record: record, time: time, ended: ended)
        guard entries.count == Self.most else { return entries.append(entry) }
        entries[oldest] = entry
        oldest = (oldest + 1) % Self.most
    }

    /// All that are kept, in the order in which they ended.
    var oldestFirst: [RecentRequest] {
        (entries[oldest...] + entries[..<oldest]).map {
            RecentRequest($0.record, time: $0.time, ended: $0.ended)
        }
    }

    /// The newest of all loops, newest first.
    static func newest(of loops: [[RecentRequest]]) -> [RecentRequest] {
        Array(loops.joined().sorted { $0.time > $1.time }.prefix(most))
    }
}
