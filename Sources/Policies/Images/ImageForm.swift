/// How a target gets the images of a request.
public enum ImageForm: String, Equatable, Sendable, CaseIterable {
    /// As the address of the stored image.
    case url
    /// As Base64, within the request.
    case inline
}

extension PolicySettings {
    /// Whether a request goes to a model without its images: to a fallback that cannot see.
    ///
    /// Nobody is asked who cannot see while somebody of the chain can.
    public func dropsImages(for model: String, asked requested: String) -> Bool {
        model != requested && rule(for: model)?.vision == false
    }
}

/// What is known of how a target takes images.
public struct ImageFormQuestion: Sendable {
    /// What the configuration says of the model.
    public var configured: ImageForm
    /// Whether the upstream hands addresses on, or fetches them itself.
    public var upstreamTakesURLs: Bool
    /// Whether the target said lately that it cannot fetch an address.
    public var couldNotFetch: Bool

    public init(configured: ImageForm, upstreamTakesURLs: Bool, couldNotFetch: Bool) {
        self.configured = configured
        self.upstreamTakesURLs = upstreamTakesURLs
        self.couldNotFetch = couldNotFetch
    }

    /// An address only where the target is known to take it: an image within the request always arrives.
    public var form: ImageForm {
        configured == .url && upstreamTakesURLs && !couldNotFetch ? .url : .inline
    }
}
