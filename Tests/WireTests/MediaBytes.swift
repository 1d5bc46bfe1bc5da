import Foundation
import Wire

extension ImageHeader {
    init?(_ file: [UInt8]) {
        guard let header = file.withUnsafeBytes({ ImageHeader(reading: $0) }) else { return nil }
        self = header
    }

    init?(base64 text: String) {
        guard let header = Array(text.utf8).withUnsafeBytes({ ImageHeader(base64: $0) }) else { return nil }
        self = header
    }

    /// Reads the contents of a JSON string.
    init?(json contents: String) {
        let document = Array("\"\(contents)\"".utf8)
        let text = JSONText(range: 1..<document.count - 1, hasEscapes: contents.contains("\\"))
        guard let header = document.withUnsafeBytes({ ImageHeader(base64: text, in: $0) }) else { return nil }
        self = header
    }
}

extension MediaSample {
    var bytes: [UInt8] { Data(base64Encoded: base64).map(Array.init) ?? [] }
}

extension [UInt8] {
    var base64: String { Data(self).base64EncodedString() }
}

/// The parts of a HEIF file (ISO/IEC 14496-12, section 4.2).
enum MediaBox {
    static func box(_ type: String, _ body: [UInt8]) -> [UInt8] {
        big(body.count + 8, 4) + Array(type.utf8) + body
    }

    /// With a size of eight bytes.
    static func longBox(_ type: String, _ body: [UInt8]) -> [UInt8] {
        big(1, 4) + Array(type.utf8) + big(body.count + 16, 8) + body
    }

    static func fullBox(_ type: String, version: UInt8 = 0, flags: UInt8 = 0, _ body: [UInt8]) -> [UInt8] {
        box(type, [version, 0, 0, flags] + body)
    }

    static func brands(_ major: String, _ others: String...) -> [UInt8] {
        box("ftyp", Array(major.utf8) + big(0, 4) + others.flatMap { Array($0.utf8) })
    }

    static func size(_ width: Int, _ height: Int) -> [UInt8] {
        fullBox("ispe", big(width, 4) + big(height, 4))
    }

    static func big(_ number: Int, _ bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    static let meta = fullBox("meta", metaBody())

    /// Item 2 is the picture of 300 × 200, item 1 its thumbnail of 30 × 20; property 4 is for more.
    static func metaBody(pitm: [UInt8]? = nil, ipma: [UInt8]? = nil, fourth: [UInt8] = []) -> [UInt8] {
        let pitm = pitm ?? fullBox("pitm", big(2, 2))
        let ipma = ipma ?? fullBox("ipma", big(2, 4) + [0, 1, 2, 1, 0x82] + [0, 2, 2, 1, 0x83])
        let properties = box("ipco", box("colr", []) + size(30, 20) + size(300, 200) + fourth)
        return fullBox("hdlr", Array("pict".utf8)) + pitm + box("iprp", properties + ipma)
    }
}
