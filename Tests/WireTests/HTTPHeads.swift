import Wire

/// A head of these lines.
func headText(_ lines: String...) -> String {
    headText(lines)
}

func headText(_ lines: [String]) -> String {
    (lines + ["", ""]).joined(separator: "\r\n")
}

extension RequestHead {
    /// Reads a head as a connection does: found first, then read.
    static func reading(_ bytes: [UInt8]) -> Result<(head: RequestHead, bytes: [UInt8]), HeadError> {
        HeadFinder.reading(bytes) { bytes throws(HeadError) in try RequestHead(reading: bytes) }
    }
}

extension ResponseHead {
    static func reading(
        _ bytes: [UInt8],
        toHEAD: Bool = false
    ) -> Result<(head: ResponseHead, bytes: [UInt8]), HeadError> {
        HeadFinder.reading(bytes) { bytes throws(HeadError) in
            try ResponseHead(reading: bytes, toHEAD: toHEAD)
        }
    }
}

extension HeadFinder {
    fileprivate static func reading<Head>(
        _ bytes: [UInt8],
        _ read: (UnsafeRawBufferPointer) throws(HeadError) -> Head
    ) -> Result<(head: Head, bytes: [UInt8]), HeadError> {
        bytes.withUnsafeBytes { raw in
            var finder = HeadFinder()
            guard case .complete(let end) = finder.advance(over: raw) else {
                return .failure(.syntax("no complete head"))
            }
            do throws(HeadError) {
                return .success((try read(raw.slice(0..<end)), Array(bytes[..<end])))
            } catch {
                return .failure(error)
            }
        }
    }
}

/// The fields as `name: value`, hop-by-hop ones in brackets.
func fieldSummaries(_ fields: [HeaderField], in bytes: [UInt8]) -> [String] {
    fields.map { field in
        let name = String(decoding: bytes[field.name], as: UTF8.self)
        let line = "\(name): \(String(decoding: bytes[field.value], as: UTF8.self))"
        return field.isHopByHop ? "[\(line)]" : line
    }
}
