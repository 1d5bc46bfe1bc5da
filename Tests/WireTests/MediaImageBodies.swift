import Foundation
import TestSupport
import Testing
import Wire

/// What the tests of images in bodies have in common.
enum MediaImageBodies {
    /// The images of a body, each in a few words, and the number of unclear ones.
    static func found(
        _ body: [UInt8],
        _ dialect: Dialect
    ) throws -> (images: [String], unclear: Int) {
        let found = try #require(body.withUnsafeBytes { CarriedImages(scanning: $0, as: dialect) })
        return (found.images.map { words($0.content, in: body) }, found.unclear)
    }

    static func words(_ content: ImageContent, in body: [UInt8]) -> String {
        let type = content.mediaType ?? "?"
        let text = (content.base64 ?? content.address).map { String(decoding: body[$0.range], as: UTF8.self) }
        return switch content {
        case .dataURL: "data \(type) \(text ?? "")"
        case .base64: "base64 \(type) \(text ?? "")"
        case .address: "address \(type) \(text ?? "")"
        }
    }

    /// The body after an edit of its images.
    static func edited(
        _ body: [UInt8],
        _ dialect: Dialect,
        _ edits: (CarriedImages) -> [[Splice]]
    ) throws -> [UInt8] {
        let found = try #require(body.withUnsafeBytes { CarriedImages(scanning: $0, as: dialect) })
        return body.applying(Splice.merged(edits(found)))
    }

    static func base64Splices(_ image: CarriedImage, _ mediaType: String, _ base64: String) -> [Splice] {
        image.replaced(byBase64: mediaType, count: base64.utf8.count) { $0.copyBytes(from: base64.utf8) }
    }

    static func json(_ body: [UInt8]) throws -> NSObject {
        try #require(try JSONSerialization.jsonObject(with: Data(body)) as? NSObject)
    }

    static func text(_ body: [UInt8]) -> String {
        String(decoding: body, as: UTF8.self)
    }
}
