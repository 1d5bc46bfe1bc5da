/// Why a message head is refused.
public enum HeadError: Error, Equatable, Sendable {
    /// The bytes break RFC 9112, or two parsers could read them in two ways.
    case syntax(StaticDescription)
    /// A transfer coding other than `chunked` (RFC 9112, section 6.1: answer 501).
    case unknownTransferCoding

    /// A description from the source text: it never carries received bytes.
    public struct StaticDescription: Equatable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral
    {
        public let description: String

        public init(stringLiteral value: StaticString) {
            description = value.description
        }
    }
}

/// How the end of a body is known.
public enum BodyFraming: Equatable, Sendable {
    case none
    /// Exactly so many bytes.
    case length(Int)
    case chunked
    /// Until the connection ends; responses only.
    case untilClose
}
