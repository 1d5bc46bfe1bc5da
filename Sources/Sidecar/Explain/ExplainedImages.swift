internal import NIOCore
internal import Policies
internal import Wire

extension Explanation {
    /// An image of the request, and what an attempt makes of it.
    struct Image: Encodable {
        /// `data` or `address`.
        let holds: String
        /// Of the image, decoded; nil where it is not in the body.
        let bytes: Int?
        let becomes: Fate
    }

    enum Fate: String, Encodable {
        /// Stored, if it is not yet, and linked.
        case url
        /// Put back into the body.
        case inline
        case unchanged
        case dropped
    }
}

extension Decision {
    /// What an attempt makes of the images; nil where there are none.
    func images(for target: Target, upstream: Upstream.Kind, _ snapshot: Snapshot, _ memory: RouteMemory)
        -> [Explanation.Image]?
    {
        let carried = request.body.withUnsafeReadableBytes {
            CarriedImages(scanning: $0, as: request.dialect)
        }
        guard let images = carried?.images, !images.isEmpty else { return nil }
        let configuration = variant.configuration
        if plan.route != nil,
            configuration.policies.dropsImages(for: target.model, asked: request.facts.model)
        {
            return images.map { Explanation.Image($0, becomes: .dropped) }
        }
        guard let media = configuration.media, media.requests else {
            return images.map { Explanation.Image($0, becomes: .unchanged) }
        }
        let form = memory.imageForm(for: target, at: upstream, configuration.policies)
        return images.map { image in
            Explanation.Image(image, becomes: fate(of: image, as: form, media, snapshot.library))
        }
    }

    private func fate(
        of image: CarriedImage,
        as form: ImageForm,
        _ media: MediaSettings,
        _ library: MediaLibrary?
    ) -> Explanation.Fate {
        if let address = image.content.address {
            let text = request.body.withUnsafeReadableBytes { address.string(in: $0) }
            let isOurs = media.objectName(ofOwnAddress: text, library) != nil
            guard isOurs else { return .unchanged }
            return form == .url ? .url : .inline
        }
        return form == .url && image.decodedCount >= media.minBytes ? .url : .unchanged
    }
}

extension Explanation.Image {
    fileprivate init(_ image: CarriedImage, becomes fate: Explanation.Fate) {
        let isData = image.content.base64 != nil
        self.init(holds: isData ? "data" : "address", bytes: isData ? image.decodedCount : nil, becomes: fate)
    }
}
