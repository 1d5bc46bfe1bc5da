extension CarriedImages {
    /// The edits that leave images out.
    ///
    /// Their whole parts go, with the commas between. An array of which nothing is left gets a text part that
    /// says that there was an image, since providers refuse empty contents; so does a part that is no element
    /// of an array.
    ///
    /// - Parameter positions: in ``images``, ascending, without duplicates.
    /// - Complexity: O(*n*) in the number of images.
    public func removing(_ positions: [Int]) -> [Splice] {
        var splices: [Splice] = []
        var start = positions.startIndex
        while start < positions.endIndex {
            var end = start + 1
            while end < positions.endIndex,
                images[positions[end - 1]].isFollowed(by: images[positions[end]])
            {
                end += 1
            }
            splices.append(Self.removal(from: images[positions[start]], to: images[positions[end - 1]]))
            start = end
        }
        return splices
    }

    /// Removes a run of neighbours.
    private static func removal(from first: CarriedImage, to last: CarriedImage) -> Splice {
        guard first.place != nil else { return Splice(first.part, with: first.filler.bytes(orNull: true)) }
        if let next = last.place?.nextStart { return Splice(first.part.lowerBound..<next, with: []) }
        if let previous = first.place?.previousEnd {
            return Splice(previous..<last.part.upperBound, with: [])
        }
        return Splice(
            first.part.lowerBound..<last.part.upperBound,
            with: first.filler.bytes(orNull: false)
        )
    }
}

extension CarriedImage {
    fileprivate func isFollowed(by other: CarriedImage) -> Bool {
        place?.nextStart == other.part.lowerBound
    }
}

extension CarriedImage.Filler {
    /// - Parameter orNull: whether there has to be a value where nothing is to be said.
    fileprivate func bytes(orNull: Bool) -> [UInt8] {
        if self == .nothing, orNull { return Array("null".utf8) }
        return Array(UnsafeBufferPointer(start: json.utf8Start, count: json.utf8CodeUnitCount))
    }
}
