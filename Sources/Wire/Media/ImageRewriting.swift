extension CarriedImage {
    /// The edits that put an address where the image stands, in the dialect in which it stands there.
    ///
    /// An address that is there already is exchanged. Of the part nothing else changes.
    ///
    /// - Parameter address: not yet quoted.
    public func replaced(byAddress address: String) -> [Splice] {
        slot.frame(for: .address).splices(address: address)
    }

    /// The edits that put Base64 where the image stands, in the dialect in which it stands there.
    ///
    /// - Parameters:
    ///   - mediaType: what the bytes are, not yet quoted.
    ///   - count: how many bytes of Base64 there are.
    ///   - fill: writes them, all of them, to where they are kept: they are not copied until the splice is
    ///     applied.
    public func replaced(
        byBase64 mediaType: String,
        count: Int,
        fill: (UnsafeMutableRawBufferPointer) -> Void
    ) -> [Splice] {
        slot.frame(for: .base64(mediaType: mediaType)).splices(count: count, fill: fill)
    }
}
