/// The form in which an image is to be written.
enum ImageForm {
    case address
    case base64(mediaType: String)
}

/// What is written around an address or Base64.
struct ImageFrame {
    var range: Range<Int>
    var prefix: [UInt8] = []
    var suffix: [UInt8] = []
    /// Changes elsewhere that go with it.
    var others: [Splice] = []

    /// The splices, in document order, that put an address there.
    ///
    /// - Parameter address: not yet quoted.
    func splices(address: String) -> [Splice] {
        let text = escaped(address).utf8
        return splices(count: text.count) { $0.copyBytes(from: text) }
    }

    /// The splices, in document order, that put bytes there.
    ///
    /// - Parameter fill: writes exactly the given number of bytes.
    func splices(count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) -> [Splice] {
        let end = prefix.count + count
        let written = [UInt8](unsafeUninitializedCapacity: end + suffix.count) { buffer, initialized in
            let buffer = UnsafeMutableRawBufferPointer(buffer)
            buffer.copyBytes(from: prefix)
            fill(UnsafeMutableRawBufferPointer(rebasing: buffer[prefix.count..<end]))
            UnsafeMutableRawBufferPointer(rebasing: buffer[end...]).copyBytes(from: suffix)
            initialized = end + suffix.count
        }
        let all = others + [Splice(range, with: written)]
        return all.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }
}

/// A text as the contents of a JSON string.
func escaped(_ text: String) -> String {
    String(decoding: quotedJSON(text).dropFirst().dropLast(), as: UTF8.self)
}

/// The bytes of several texts, one behind the other.
func utf8(_ pieces: String...) -> [UInt8] {
    Array(pieces.joined().utf8)
}
