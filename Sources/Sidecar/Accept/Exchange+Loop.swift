internal import NIOCore
internal import Wire

extension Exchange {
    /// Whether the request carries the sidecar's own token: an upstream's address points back at it.
    var passedHereBefore: Bool {
        headBytes.withUnsafeReadableBytes { raw in
            head.fields.contains { $0.header == .via && raw.slice($0.value).namesSidecar }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether a `Via` value has the sidecar's own token among its entries (RFC 9110, section 7.6.3).
    fileprivate var namesSidecar: Bool {
        split(separator: 0x2C).contains { entry in
            entry.split(separator: 0x20).dropFirst().first.map {
                UnsafeRawBufferPointer(rebasing: $0).equalsIgnoringCase("sidecar")
            } ?? false
        }
    }
}
