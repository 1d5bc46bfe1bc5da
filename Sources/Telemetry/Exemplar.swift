/// One request of those that a bucket counts, by which it can be looked up: the newest of its event loop.
struct Exemplar: Equatable, Sendable {
    /// 32 hexadecimal digits (W3C Trace Context, section 3.2.2.3).
    var traceID: String
    var value: Double
    /// Seconds of a clock that only goes forward.
    var seconds: Double
}
