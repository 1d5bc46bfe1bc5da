import Foundation
import NIOCore
import ObjectStore
import TestSupport

@testable import Sidecar

/// Images that are none but for their first bytes, and texts that stand for them.
enum SampleImage {
    /// The head of a PNG of 1 × 1 pixel, and then anything.
    static func png(_ byteCount: Int, seed: Int = 0) -> [UInt8] {
        let head: [UInt8] = [
            0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1,
            0, 0, 0,
            1, 8, 6, 0, 0, 0,
        ]
        var random = SplitMix(seed: UInt64(seed))
        var image = head
        image.reserveCapacity(byteCount + 8)
        while image.count < byteCount { withUnsafeBytes(of: random.next()) { image += $0 } }
        return Array(image.prefix(max(byteCount, head.count)))
    }

    static func text(_ bytes: [UInt8]) -> MediaText {
        MediaText(base64: ByteBuffer(string: Data(bytes).base64EncodedString()), hasEscapes: false)
    }

    static func text(_ string: String) -> MediaText {
        MediaText(base64: ByteBuffer(string: string), hasEscapes: string.contains("\\"))
    }

    static func content(_ byteCount: Int = 100, seed: Int = 0) throws -> MediaContent {
        try MediaContent(text(png(byteCount, seed: seed)))
    }
}

/// A folder that is gone when the test is over.
final class ScratchFolder: Sendable {
    let path = FileManager.default.temporaryDirectory.appending(path: "media-\(UUID().uuidString)").path()

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The paths of all files in it, without the secret.
    var files: Set<String> {
        let found = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return Set(
            found.filter {
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: "\(path)/\($0)", isDirectory: &isFolder)
                    && !isFolder.boolValue && $0 != DirectorySecret.fileName
            }
        )
    }
}
