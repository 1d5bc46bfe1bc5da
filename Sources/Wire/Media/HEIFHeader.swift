extension ImageHeader {
    /// AVIF and HEIC are HEIF files (ISO/IEC 23008-12) and differ in their brands.
    static func heif(_ bytes: inout HeaderReader) -> ImageHeader? {
        var scan = HEIFScan(bytes)
        guard let kind = scan.kind() else { return nil }
        return scan.primarySize().map { ImageHeader(kind: kind, width: $0.width, height: $0.height) }
    }
}

/// Finds the primary item of a HEIF file and the size that is associated with it.
///
/// The file is a tree of boxes (ISO/IEC 14496-12, section 4.2):
///
///     ftyp                     the brands
///     meta ─ pitm              the number of the primary item
///          └ iprp ─ ipco       the properties, counted from 1; `ispe` is a size, `clap` cuts it
///                 └ ipma       which item has which properties
private struct HEIFScan {
    struct Box {
        var type: Int
        var body: Range<Int>
    }

    private var bytes: HeaderReader

    init(_ bytes: HeaderReader) {
        self.bytes = bytes
    }

    /// By the brands in the first box, the major one and the compatible ones.
    ///
    /// - Returns: nil when none of them is an image's.
    mutating func kind() -> ImageHeader.Kind? {
        guard bytes.has("ftyp", at: 4), let size = bytes.big(0, bytes: 4), size >= 16 else { return nil }
        // The minor version stands between the major brand and the others.
        let others = stride(from: 16, to: min(size, bytes.count, Self.mostBrandBytes), by: 4)
        let brands = ([8] + others).compactMap { bytes.big($0, bytes: 4) }
        return Self.brands.first { row in row.brands.contains { brands.contains(fourCC($0)) } }?.kind
    }

    /// The first kind that has a brand of the file; a general brand stands beside the one of the codec.
    private static let brands: [(kind: ImageHeader.Kind, brands: [StaticString])] = [
        (.avif, ["avif", "avis"]),
        (.heic, ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"]),
        (.heif, ["mif1", "msf1"]),
    ]

    /// Where brands are no longer looked for; real files have a handful.
    private static let mostBrandBytes = 272

    mutating func primarySize() -> (width: Int, height: Int)? {
        guard let file = first("meta", in: 0..<bytes.count),
            // A full box: its version and flags come first.
            let meta = file.dropping(4),
            let primary = primaryItem(in: meta),
            let properties = first("iprp", in: meta),
            let container = first("ipco", in: properties)
        else { return nil }
        let known = boxes(in: container)
        for association in boxes(in: properties) where association.type == fourCC("ipma") {
            let own = propertyIndices(of: primary, in: association.body)
                .compactMap { known.indices.contains($0 - 1) ? known[$0 - 1] : nil }
            if let size = size(by: own) { return size }
        }
        return nil
    }

    /// Encoders pad to even sides, or to whole blocks, and say what to cut off again.
    private mutating func size(by properties: [Box]) -> (width: Int, height: Int)? {
        guard let extents = properties.first(where: { $0.type == fourCC("ispe") }),
            let whole = spatialExtents(in: extents.body)
        else { return nil }
        guard let aperture = properties.first(where: { $0.type == fourCC("clap") }),
            let part = cleanAperture(in: aperture.body)
        else { return whole }
        return (min(part.width, whole.width), min(part.height, whole.height))
    }

    /// ISO/IEC 23008-12, section 6.5.3.
    private mutating func spatialExtents(in body: Range<Int>) -> (width: Int, height: Int)? {
        guard body.count >= 12, let width = bytes.big(body.lowerBound + 4, bytes: 4),
            let height = bytes.big(body.lowerBound + 8, bytes: 4)
        else { return nil }
        return (width, height)
    }

    /// Two fractions (ISO/IEC 14496-12, section 12.1.4); nil when one is not at least 1.
    private mutating func cleanAperture(in body: Range<Int>) -> (width: Int, height: Int)? {
        guard body.count >= 16 else { return nil }
        let terms = (0..<4).compactMap { bytes.big(body.lowerBound + 4 * $0, bytes: 4) }
        guard terms.count == 4, terms[1] > 0, terms[3] > 0 else { return nil }
        let (width, height) = (terms[0] / terms[1], terms[2] / terms[3])
        return width > 0 && height > 0 ? (width, height) : nil
    }

    /// ISO/IEC 14496-12, section 8.11.4: numbers have two bytes in version 0, later four.
    private mutating func primaryItem(in meta: Range<Int>) -> Int? {
        guard let body = first("pitm", in: meta), let version = bytes.byte(body.lowerBound) else {
            return nil
        }
        return bytes.big(body.lowerBound + 4, bytes: version == 0 ? 2 : 4)
    }

    /// ISO/IEC 23008-12, section 9.3.1.
    private mutating func propertyIndices(of item: Int, in body: Range<Int>) -> [Int] {
        guard let version = bytes.byte(body.lowerBound), let flags = bytes.big(body.lowerBound + 1, bytes: 3),
            let entries = bytes.big(body.lowerBound + 4, bytes: 4)
        else { return [] }
        let numberWidth = version == 0 ? 2 : 4
        let indexWidth = flags & 1 == 0 ? 1 : 2
        var at = body.lowerBound + 8
        // The number of entries is not to be trusted: the end of the box comes first.
        for _ in 0..<entries {
            guard at < body.upperBound, let number = bytes.big(at, bytes: numberWidth),
                let count = bytes.byte(at + numberWidth)
            else { return [] }
            at += numberWidth + 1
            if number == item { return indices(count, at: at, width: indexWidth) }
            at += count * indexWidth
        }
        return []
    }

    /// The top bit of an index says whether a reader must understand the property.
    private mutating func indices(_ count: Int, at offset: Int, width: Int) -> [Int] {
        (0..<count).compactMap { bytes.big(offset + $0 * width, bytes: width) }
            .map { $0 & (width == 1 ? 0x7F : 0x7FFF) }
    }
}

extension HEIFScan {
    /// The contents of the first box of a type.
    private mutating func first(_ type: StaticString, in range: Range<Int>) -> Range<Int>? {
        var at = range.lowerBound
        while let box = box(at: at, in: range) {
            if box.type == fourCC(type) { return box.body }
            at = box.body.upperBound
        }
        return nil
    }

    private mutating func boxes(in range: Range<Int>) -> [Box] {
        var found: [Box] = []
        while let box = box(at: found.last?.body.upperBound ?? range.lowerBound, in: range) {
            found.append(box)
        }
        return found
    }

    /// A size of 0 reaches to the end; after a size of 1 the real one follows in eight bytes.
    ///
    /// A box that is larger than what holds it ends there, so a file that was cut short is still read.
    private mutating func box(at offset: Int, in range: Range<Int>) -> Box? {
        guard range.upperBound - offset >= 8, let short = bytes.big(offset, bytes: 4),
            let type = bytes.big(offset + 4, bytes: 4)
        else { return nil }
        let head = short == 1 ? 16 : 8
        let room = range.upperBound - offset
        guard let size = short == 1 ? bytes.big(offset + 8, bytes: 8) : short == 0 ? room : short,
            size >= head, room >= head
        else { return nil }
        return Box(type: type, body: offset + head..<offset + min(size, room))
    }
}

extension Range<Int> {
    /// Without its first positions; nil when there are not so many.
    fileprivate func dropping(_ positions: Int) -> Range<Int>? {
        count >= positions ? lowerBound + positions..<upperBound : nil
    }
}

/// The four letters that name a box or a brand, as a number.
private func fourCC(_ name: StaticString) -> Int {
    UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount).reduce(0) { $0 << 8 | Int($1) }
}
