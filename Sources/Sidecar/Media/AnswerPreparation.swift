internal import NIOCore
internal import ObjectStore
internal import Wire

/// Takes the images out of an answer, or of an event of one, and puts links there.
///
/// Runs beside the event loops.
struct AnswerPreparation: Sendable {
    enum Part: Sendable {
        case document
        case event
    }

    let library: MediaLibrary
    let settings: MediaSettings
    /// Whether the client asked for addresses where the upstream gave `b64_json`.
    let linksBase64JSON: Bool

    struct Prepared: Sendable {
        /// As the client gets them: the same where nothing can be linked.
        var bytes: ByteBuffer
        var counts = ImageCounts()
        var imageBytes = ImageBytes()
    }

    func prepare(_ bytes: ByteBuffer, _ part: Part) async -> Prepared {
        let images = await library.onThread {
            bytes.withUnsafeReadableBytes { raw in
                part == .event ? AnswerImage.images(inEvent: raw) : AnswerImage.images(inAnswer: raw)
            }
        }
        let found = (images ?? []).compactMap { image in text(of: image, in: bytes).map { (image, $0) } }
        let results = await library.names(of: found.map { $0.1 }, cameIn: .answer)
        var prepared = Prepared(bytes: bytes)
        var edits: [[Splice]] = []
        for ((image, text), result) in zip(found, results) {
            prepared.counts[result.counted] += 1
            prepared.imageBytes.upstreamIn += text.base64.readableBytes / 4 * 3
            guard case .success(let kept) = result, let link = settings.link(to: kept.name) else {
                prepared.imageBytes.clientOut += text.base64.readableBytes / 4 * 3
                continue
            }
            if kept.how == .uploaded { prepared.imageBytes.storeOut += kept.byteCount }
            edits.append(image.replaced(byAddress: link))
        }
        let splices = Splice.merged(edits)
        if !splices.isEmpty { prepared.bytes = bytes.withUnsafeReadableBytes { $0.spliced(splices) } }
        return prepared
    }

    /// Nil for what stays: small images, and forms that the client's API has no address for.
    private func text(of image: AnswerImage, in bytes: ByteBuffer) -> MediaText? {
        switch image.kind {
        case .dataURL, .markdown: break
        case .b64JSON where linksBase64JSON: break
        case .b64JSON, .inlineData, .source, .result: return nil
        }
        guard let base64 = image.content.base64, base64.range.count / 4 * 3 >= settings.minBytes else {
            return nil
        }
        return MediaText(base64, in: bytes)
    }
}

extension Result<StoredImage, MediaProblem> {
    /// What became of the image.
    var counted: ImageCounts.Result {
        switch self {
        case .success(let stored): stored.how == .uploaded ? .uploaded : .deduplicated
        case .failure(.unfit): .passed
        case .failure(.notStored), .failure(.late): .failed
        }
    }
}
