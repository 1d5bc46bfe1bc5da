internal import NIOCore
internal import ObjectStore
internal import Policies
internal import Wire

/// The images of one body in the form that a target takes.
struct PreparedImages: Sendable {
    /// What is to be changed in the body.
    var splices: [Splice] = []
    var counts = ImageCounts()
    /// Whether addresses of the store are in the body, old or new.
    var hasLinks = false
    var bytes = ImageBytes()
    /// The room of what was put back into the body; to be released with it.
    var room: BodyRoom.Grant?
}

/// Gives the images of a body the form that a target takes: stores them and links them, or puts them back into the body.
///
/// Runs beside the event loops.
struct ImagePreparation: Sendable {
    let library: MediaLibrary
    let settings: MediaSettings
    let now: SigningTime
    /// Of the body that is made.
    let mostBodyBytes: Int
    let room: BodyRoom
    let mostBufferedBytes: Int

    /// - Parameter dialect: of the request.
    /// - Returns: no edits for a body that is not understood.
    func prepare(_ body: ByteBuffer, _ dialect: Dialect, as form: ImageForm) async -> PreparedImages {
        let carried = await library.onThread {
            body.withUnsafeReadableBytes { CarriedImages(scanning: $0, as: dialect) }
        }
        guard let carried = carried ?? nil else { return PreparedImages() }
        var prepared = PreparedImages()
        prepared.counts[.passed] = carried.unclear
        prepared.bytes.clientIn = carried.images.reduce(0) { $0 + $1.decodedCount }
        switch form {
        case .url: await link(carried.images, in: body, &prepared)
        case .inline: await inline(carried.images, in: body, &prepared)
        }
        return prepared
    }

    // MARK: - As addresses

    private func link(_ images: [CarriedImage], in body: ByteBuffer, _ prepared: inout PreparedImages) async {
        var sent: [(image: CarriedImage, text: MediaText)] = []
        for image in images {
            if let name = storedName(of: image, in: body) {
                prepared.counts[.resigned] += 1
                prepared.link(image, to: url(for: name))
            } else if let text = text(of: image, in: body) {
                sent.append((image, text))
            } else {
                prepared.counts[.passed] += 1
                prepared.bytes.upstreamOut += image.decodedCount
            }
        }
        let results = await library.names(of: sent.map(\.text), cameIn: .request)
        for (sent, result) in zip(sent, results) { prepared.take(result, of: sent.image, url) }
    }

    /// Base64 that is worth storing; nil of anything else.
    private func text(of image: CarriedImage, in body: ByteBuffer) -> MediaText? {
        guard let base64 = image.content.base64, image.decodedCount >= settings.minBytes else { return nil }
        return MediaText(base64, in: body)
    }

    private func url(for name: ObjectName) -> String {
        library.store.url(
            for: name,
            at: now.floored(to: settings.signWindow),
            lifetime: settings.urlLifetime
        )
    }

    // MARK: - Within the body

    /// Puts stored images back, as many as a body may hold; the others stay addresses.
    private func inline(_ images: [CarriedImage], in body: ByteBuffer, _ prepared: inout PreparedImages) async
    {
        let names = images.map { storedName(of: $0, in: body) }
        guard names.contains(where: { $0 != nil }), (try? await library.puttingBack.enter()) != nil else {
            return passOn(images, &prepared)
        }
        defer { library.puttingBack.leave() }
        var room = mostBodyBytes - body.readableBytes
        let contents = await library.contents(
            of: names.compactMap(\.self),
            mostBytes: room / 4 * 3,
            within: library.limits.patience
        )
        // The pieces that are put in, and the body that is made of them.
        let made = names.compactMap { $0 }.reduce(0) { $0 + (contents[$1]?.readableBytes ?? 0) / 3 * 4 }
        if made > 0 { prepared.room = await self.room.grant(2 * min(made, room), of: mostBufferedBytes) }
        for (image, name) in zip(images, names) {
            guard let name else {
                prepared.counts[.passed] += 1
                prepared.bytes.upstreamOut += image.decodedCount
                continue
            }
            if let content = contents[name], Base64Encoder.textCount(forBytes: content.readableBytes) <= room
            {
                room -= Base64Encoder.textCount(forBytes: content.readableBytes)
                prepared.inline(image, name, content)
            } else {
                prepared.counts[.failed] += 1
                // The target may still be able to fetch it.
                prepared.link(image, to: url(for: name))
            }
        }
    }

    private func passOn(_ images: [CarriedImage], _ prepared: inout PreparedImages) {
        prepared.counts[.passed] += images.count
        prepared.bytes.upstreamOut += images.reduce(0) { $0 + $1.decodedCount }
    }

    /// The image that an address of ours names: the store's own, or a link of an answer.
    private func storedName(of image: CarriedImage, in body: ByteBuffer) -> ObjectName? {
        guard let address = image.content.address, address.range.count <= Self.mostAddressBytes else {
            return nil
        }
        let text = body.withUnsafeReadableBytes { address.string(in: $0) }
        return settings.objectName(ofOwnAddress: text, library)
    }

    private static let mostAddressBytes = 4_096
}

extension PreparedImages {
    fileprivate mutating func link(_ image: CarriedImage, to url: String) {
        splices += image.replaced(byAddress: url)
        hasLinks = true
    }

    fileprivate mutating func inline(_ image: CarriedImage, _ name: ObjectName, _ content: ByteBuffer) {
        counts[.inlined] += 1
        bytes.upstreamOut += content.readableBytes
        splices += image.replaced(
            byBase64: name.format.contentType,
            count: Base64Encoder.textCount(forBytes: content.readableBytes)
        ) { output in
            var encoder = Base64Encoder()
            let written = content.withUnsafeReadableBytes { encoder.encode($0, into: output) }
            _ = encoder.finish(into: UnsafeMutableRawBufferPointer(rebasing: output[written...]))
        }
    }

    fileprivate mutating func take(
        _ result: Result<StoredImage, MediaProblem>,
        of image: CarriedImage,
        _ url: (ObjectName) -> String
    ) {
        counts[result.counted] += 1
        guard case .success(let stored) = result else {
            bytes.upstreamOut += image.decodedCount
            return
        }
        if stored.how == .uploaded { bytes.storeOut += stored.byteCount }
        link(image, to: url(stored.name))
    }
}

extension CarriedImage {
    /// Bytes of the image where it is in the body, to within two.
    var decodedCount: Int {
        (content.base64?.range.count ?? 0) / 4 * 3
    }
}

extension MediaText {
    /// - Parameter text: a part of the body, which is not copied.
    init?(_ text: JSONText, in body: ByteBuffer) {
        guard
            let base64 = body.getSlice(at: body.readerIndex + text.range.lowerBound, length: text.range.count)
        else { return nil }
        self.init(base64: base64, hasEscapes: text.hasEscapes)
    }
}

extension MediaLibrary {
    /// Looks for images beside the event loops; nil when the process is ending.
    func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value? {
        try? await threads.run(work)
    }
}
