/// What is wrong with a link, and what to write instead.
///
/// The text never holds a part of the link that could be a credential: it may be logged and shown.
public struct LinkProblem: Error, Hashable, Sendable {
    /// One sentence for the person who wrote the link.
    public let message: String

    init(_ message: String) {
        self.message = message
    }

    /// A link that asks for something that only a full client speaks.
    ///
    /// - Parameter feature: what it asks for, from a list of ours.
    static func unsupported(_ feature: String) -> LinkProblem {
        LinkProblem(
            "\(feature) is not supported; run a local Xray or sing-box that speaks it and chain its SOCKS port, "
                + "as socks5://127.0.0.1:1080"
        )
    }
}

extension LinkProblem: CustomStringConvertible {
    /// The message, so that an error that is printed as it is tells something.
    public var description: String { message }
}
