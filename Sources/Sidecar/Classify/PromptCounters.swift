internal import Policies
internal import TokenCount
internal import Wire

/// What counts the parts of a prompt for one model.
struct PromptCounters {
    let text: TextCounter
    private let images: ImageRule

    /// - Returns: nil when one of the names is not known.
    init?(_ counting: Counting) {
        guard let text = TextCounter(encoding: counting.encoding),
            let images = ImageRule(rawValue: counting.images)
        else { return nil }
        self.text = text
        self.images = images
    }

    /// Counts an image by its size, without decoding more of it than its header.
    ///
    /// The size of one that is named by an address, or whose format is not known, is assumed.
    func tokens(
        ofImage part: Conversation.Part,
        _ detail: Conversation.ImageDetail,
        in body: UnsafeRawBufferPointer
    ) -> Int {
        let header = ImageHeader(base64: part.text, in: body)
        let size = header.map { PixelSize(width: $0.width, height: $0.height) }
        return images.tokens(for: size, detail: ImageRule.Detail(rawValue: detail.rawValue) ?? .auto)
    }

    /// Whether a part is counted by its text.
    static func isText(_ kind: Conversation.Part.Kind) -> Bool {
        switch kind {
        case .imageURL, .imageData, .audioData, .fileData, .fileID, .thinking, .tokens: false
        default: true
        }
    }

    /// More than a part counts that is not counted by its text.
    func mostTokensBesideText(of kind: Conversation.Part.Kind) -> Int {
        switch kind {
        case .imageURL, .imageData: images.mostTokens
        case .audioData: ChatFraming.audioPart
        case .fileData, .fileID: ChatFraming.filePart
        default: 0
        }
    }
}
