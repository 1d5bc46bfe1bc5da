internal import TokenCount

/// Where commands read from.
enum StandardInput {
    /// The most of a text that is held at once where it can be taken in parts.
    static let mostHeldBytes = 64 << 20

    /// What is wrong with what was read.
    enum Problem: Error {
        case unreadable
        /// There is more than so many bytes.
        case tooLong(bytes: Int)
        case lineTooLong(number: Int)
        /// No place to count the parts of a text apart.
        case noSeam

        var message: String {
            switch self {
            case .unreadable: "standard input cannot be read; give a file or a pipe"
            case .tooLong(let limit): "more than \(limit) bytes; send less"
            case .lineTooLong(let number): "line \(number) is over \(mostHeldBytes) bytes; send shorter texts"
            case .noSeam: "over \(mostHeldBytes) bytes without a space behind a word; send less at a time"
            }
        }
    }

    /// Reads to the end.
    static func read(maxBytes: Int) throws(Problem) -> [UInt8] {
        do {
            if let bytes = try ByteSource.standardInput().bytes(atMost: maxBytes) { return bytes }
        } catch {
            throw .unreadable
        }
        throw .tooLong(bytes: maxBytes)
    }

    /// Reads to the end in parts whose tokens add up, whatever the encoding.
    static func forEachTextPart(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        var held: [UInt8] = []
        var whole = 0
        while try read(appendingTo: &held) {
            guard held.count - whole >= mostHeldBytes / 4 || held.count > mostHeldBytes else { continue }
            if let seam = held.withUnsafeBytes({ TokenCounter.lastSeam(in: $0) }) {
                try held.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<seam])) }
                held.removeFirst(seam)
            }
            whole = held.count
            guard whole <= mostHeldBytes else { throw Problem.noSeam }
        }
        try held.withUnsafeBytes(body)
    }

    /// Reads to the end line by line, line ends left out, with their numbers from 1.
    static func forEachLine(_ body: (UnsafeRawBufferPointer, Int) throws -> Void) throws {
        var held: [UInt8] = []
        var number = 0
        var searched = 0
        while try read(appendingTo: &held) {
            var start = 0
            while let end = held[max(start, searched)...].firstIndex(of: 0x0A) {
                number += 1
                try held.withUnsafeBytes {
                    try body(UnsafeRawBufferPointer(rebasing: $0[start..<end]), number)
                }
                start = end + 1
            }
            held.removeFirst(start)
            searched = held.count
            guard searched <= mostHeldBytes else { throw Problem.lineTooLong(number: number + 1) }
        }
        if !held.isEmpty { try held.withUnsafeBytes { try body($0, number + 1) } }
    }

    private static func read(appendingTo bytes: inout [UInt8]) throws -> Bool {
        do {
            return try ByteSource.standardInput().append(to: &bytes)
        } catch {
            throw Problem.unreadable
        }
    }
}
