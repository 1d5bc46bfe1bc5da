/// Bytes of images, decoded, by hop: where they came in and where they went.
struct ImageBytes: Equatable, Sendable {
    var clientIn = 0
    var upstreamOut = 0
    var storeOut = 0
    var upstreamIn = 0
    var clientOut = 0

    static func += (total: inout ImageBytes, more: ImageBytes) {
        total.clientIn += more.clientIn
        total.upstreamOut += more.upstreamOut
        total.storeOut += more.storeOut
        total.upstreamIn += more.upstreamIn
        total.clientOut += more.clientOut
    }

    /// By the names that the metrics have.
    var hops: [(name: String, byteCount: Int)] {
        [
            ("client_in", clientIn), ("upstream_out", upstreamOut), ("store_out", storeOut),
            ("upstream_in", upstreamIn), ("client_out", clientOut),
        ]
    }
}
