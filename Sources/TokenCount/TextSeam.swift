extension TokenCounter {
    /// The last offset at which a text can be cut so that its tokens are those of both parts, in any encoding.
    ///
    /// That is before a space or a line end that follows an ASCII letter or digit. Every pattern ends a piece
    /// there, whatever stands around it, and no normal form joins the two.
    ///
    /// - Returns: more than 0 and less than the text's count; nil when there is no such place.
    /// - Complexity: O(*n*) in what lies behind the place.
    public static func lastSeam(in utf8: UnsafeRawBufferPointer) -> Int? {
        utf8.indices.dropFirst().last { place in
            (utf8[place] == 0x20 || utf8[place] == 0x0A) && isASCIIAlphanumeric(utf8[place - 1])
        }
    }

    private static func isASCIIAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}
