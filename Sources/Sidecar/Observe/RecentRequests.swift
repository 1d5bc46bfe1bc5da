/// The newest requests of one event loop, for `GET /requests`.
///
/// Each loop keeps its own without a lock, as with figures; they are brought together when somebody asks. Some
/// 100 KB a loop, a few times that with names of the longest kind.
struct RecentRequests {
    /// How many are kept, and shown of all loops together: the newest of all are among the newest of each.
    static let most = 100

    private var entries: [RecentRequest] = []
    /// Where the oldest stands, once all places are taken.
    private var oldest = 0

    /// Keeps one that has just ended, in place of the oldest.
    mutating func keep(_ request: RecentRequest) {
        guard entries.count == Self.most else { return entries.append(request) }
        entries[oldest] = request
        oldest = (oldest + 1) % Self.most
    }

    /// All that are kept, in the order in which they ended.
    var oldestFirst: [RecentRequest] { Array(entries[oldest...] + entries[..<oldest]) }

    /// The newest of all loops, newest first.
    static func newest(of loops: [[RecentRequest]]) -> [RecentRequest] {
        Array(loops.joined().sorted { $0.time > $1.time }.prefix(most))
    }
}
