/// Where an image stands in an answer.
enum AnswerSlot: Equatable, Sendable {
    /// As in requests.
    case shared(ImageSlot)
    /// `b64_json` of OpenAI's images API: the member, its value, and the empty value of the `url` beside it.
    case b64JSON(Range<Int>, value: JSONText, url: Range<Int>?)
    /// The result of an image generation call in the Responses API, which has no form but Base64.
    case result

    /// What is to be written around an address.
    ///
    /// - Returns: nil where none can stand.
    var addressFrame: ImageFrame? {
        switch self {
        case .shared(let slot): slot.frame(for: .address)
        case .result: nil
        case .b64JSON(let member, _, nil):
            ImageFrame(range: member, prefix: utf8("\"url\":\""), suffix: utf8("\""))
        case .b64JSON(_, let value, let url?):
            ImageFrame(
                range: url,
                prefix: utf8("\""),
                suffix: utf8("\""),
                others: [Splice(value.quotedRange, with: utf8("null"))]
            )
        }
    }
}
