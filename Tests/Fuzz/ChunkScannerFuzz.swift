import Wire

/// Feeds an arbitrary body to the chunk scanner, whole and in two pieces.
///
/// The first byte says where to cut. Both ways must agree on payload and end, and what was accepted, framed anew in one
/// chunk, must give the same payload.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count >= 1 else { return 0 }
    let input = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    let cut = Int(start[0]) % (input.count + 1)
    let whole = Outcome([input])
    let parts = Outcome([input.slice(0..<cut), input.slice(cut..<input.count)])
    precondition(whole == parts)
    precondition(whole.payload.count <= input.count)
    guard whole.end != nil, !whole.payload.isEmpty else { return 0 }
    let size = String(whole.payload.count, radix: 16)
    let framed = Array("\(size)\r\n".utf8) + whole.payload + Array("\r\n0\r\n\r\n".utf8)
    framed.withUnsafeBytes { framed in
        let again = Outcome([framed])
        precondition(again.payload == whole.payload && again.end == framed.count)
    }
    return 0
}

private struct Outcome: Equatable {
    var payload: [UInt8] = []
    var end: Int?
    var isMalformed = false

    init(_ pieces: [UnsafeRawBufferPointer]) {
        var scanner = ChunkScanner()
        var offset = 0
        for piece in pieces where end == nil && !isMalformed {
            let progress = scanner.feed(piece) { payload += Array($0) }
            precondition(scanner.lastChunkEnd <= piece.count)
            switch progress {
            case .incomplete: offset += piece.count
            case .malformed: isMalformed = true
            case .complete(let count): end = offset + count
            }
        }
    }
}
