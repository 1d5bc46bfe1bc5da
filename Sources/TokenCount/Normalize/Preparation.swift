internal import Glibc

/// What an encoding does to a text before it is cut.
enum Preparation: Sendable {
    case none
    case form(NormalForm)
    /// Takes U+2581, which stands for a space in Gemma's tokens, for a space.
    case spaces

    /// The prepared text; nil when it is as it should be, the usual case.
    func prepared(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        switch self {
        case .none: nil
        case .form(let form): form.normalized(text)
        case .spaces: Self.withSpaces(text)
        }
    }

    private static let block: [UInt8] = [0xE2, 0x96, 0x81]

    private static func withSpaces(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard var found = nextBlock(in: text, from: 0) else { return nil }
        var spaced: [UInt8] = []
        spaced.reserveCapacity(text.count)
        var done = 0
        while true {
            spaced.append(contentsOf: text[done..<found])
            spaced.append(0x20)
            done = found + block.count
            guard let next = nextBlock(in: text, from: done) else { break }
            found = next
        }
        spaced.append(contentsOf: text[done...])
        return spaced
    }

    private static func nextBlock(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        guard let base = text.baseAddress else { return nil }
        var at = start
        while at + block.count <= text.count {
            guard let found = memchr(base + at, Int32(block[0]), text.count - block.count + 1 - at) else {
                return nil
            }
            at = UnsafeRawPointer(found) - UnsafeRawPointer(base)
            if base[at + 1] == block[1], base[at + 2] == block[2] { return at }
            at += 1
        }
        return nil
    }
}
