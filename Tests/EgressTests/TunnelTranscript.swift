@testable import Egress

/// What a tunnel made of what a proxy sent, piece by piece.
struct TunnelTranscript: Equatable {
    /// To the proxy: handshake and replies.
    var sent: [UInt8] = []
    /// From the proxy, for whoever uses the tunnel.
    var payload: [UInt8] = []
    var isOpen = false
    var hasEnded = false
    var fault: RoadFault?
    /// The most that ever waited for more bytes.
    var mostHeld = 0

    /// - Parameter pieces: as they would be read from the connection.
    init(_ state: any TunnelState, receiving pieces: [[UInt8]]) {
        var state = state
        switch state.connected() {
        case .handshake(let bytes): sent = bytes
        case .open: isOpen = true
        }
        var held: [UInt8] = []
        for piece in pieces where fault == nil {
            held += piece
            take(&held, &state)
            mostHeld = max(mostHeld, held.count)
        }
    }

    private mutating func take(_ held: inout [UInt8], _ state: inout any TunnelState) {
        do {
            while !held.isEmpty {
                let (progress, part) = try Self.step(held, &state)
                sent += progress.reply
                payload += part
                if progress.event == .opened { isOpen = true }
                if progress.event == .ended { hasEnded = true }
                held.removeFirst(progress.consumed)
                if progress.consumed == 0 { return }
            }
        } catch {
            fault = error
        }
    }

    private static func step(
        _ held: [UInt8],
        _ state: inout any TunnelState
    ) throws(RoadFault) -> (TunnelProgress, ArraySlice<UInt8>) {
        var part = [UInt8](repeating: 0, count: min(held.count, TunnelProgress.room))
        let result = held.withUnsafeBytes { raw in
            part.withUnsafeMutableBytes { part in
                Result { () throws(RoadFault) in try state.received(raw, payload: part) }
            }
        }
        let progress = try result.get()
        return (progress, part[..<progress.payloadCount])
    }

    /// How much had to wait depends on the cuts, and is no part of what was made of the bytes.
    static func == (a: Self, b: Self) -> Bool {
        a.sent == b.sent && a.payload == b.payload && a.isOpen == b.isOpen && a.hasEnded == b.hasEnded
            && a.fault == b.fault
    }
}

extension [UInt8] {
    /// The bytes in two pieces, for every place to cut, and one by one.
    var everyCut: [[[UInt8]]] {
        (0...count).map { [Array(self[..<$0]), Array(self[$0...])] } + [map { [$0] }]
    }

    /// The bytes with one of them changed, for every place and every other value.
    var everyMutation: [(place: Int, bytes: [UInt8])] {
        indices.flatMap { place in
            (UInt8(1)...255).map { change in
                var bytes = self
                bytes[place] ^= change
                return (place, bytes)
            }
        }
    }

    /// Hexadecimal digits; white space is for the reader.
    init(hex: String) {
        let digits = hex.filter { !$0.isWhitespace }
        self = stride(from: 0, to: digits.count, by: 2).map { place in
            let start = digits.index(digits.startIndex, offsetBy: place)
            return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16) ?? 0
        }
    }
}

extension TunnelState {
    /// The bytes that payload becomes.
    mutating func sealed(_ payload: [UInt8]) -> [UInt8] {
        let bound = sealedCount(payload.count)
        return [UInt8](unsafeUninitializedCapacity: bound) { wire, count in
            count = payload.withUnsafeBytes { seal($0, into: UnsafeMutableRawBufferPointer(wire)) }
        }
    }
}
