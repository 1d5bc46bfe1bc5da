extension FailoverState {
    /// The value of `x-sidecar-attempts`: `claude-sonnet-4-5=rate_limited, gemini-3-pro=ok`.
    ///
    /// A model's name comes from the client or the configuration, so what does not belong into a header, and
    /// what would end the name, becomes `_`.
    public var attemptsHeader: String {
        outcomes.map { entry in "\(entry.target.model.headerSafe)=\(entry.result)" }.joined(separator: ", ")
    }
}

extension String {
    fileprivate var headerSafe: String {
        let separators = "=,;".utf8
        let bytes = utf8.map {
            (0x21...0x7E).contains($0) && !separators.contains($0) ? $0 : UInt8(ascii: "_")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
