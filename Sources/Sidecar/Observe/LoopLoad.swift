/// What is open on one event loop.
struct LoopLoad: Sendable {
    /// Streamed answers under way.
    let streams: Int
    let upstreamConnections: Int
}
