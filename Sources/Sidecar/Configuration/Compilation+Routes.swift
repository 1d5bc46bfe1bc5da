import Policies

extension Compilation {
    mutating func routes(_ upstreams: [String: Upstream]) -> [Route] {
        let sections = file.sections("routes")
        checkNames(of: sections)
        return sections.map { section in
            let when = section.filled("when", Section.section)
            let chain = section.placedTexts("chain").compactMap { member($0.text, at: $0.place, upstreams) }
            return Route(name: section.text("name") ?? "", when: condition(when), chain: chain)
        }
    }

    mutating func condition(_ section: Section) -> Condition {
        let condition = Condition(
            model: section.texts("model").map { Glob($0) },
            images: section.flag("images"),
            vision: section.flag("vision"),
            task: section.flag("task"),
            minTokens: section.integer("minTokens"),
            maxTokens: section.integer("maxTokens"),
            header: headers(in: section),
            path: section.text("path").map { Glob($0) },
            contains: section.texts("contains").map { $0.lowercased() }
        )
        if let least = condition.minTokens, let most = condition.maxTokens, least > most {
            report(
                section.place("minTokens"),
                "more than maxTokens (\(most)); no request can match: write less"
            )
        }
        return condition
    }

    /// Header names do not depend on case, so two spellings of one are a mistake.
    private mutating func headers(in section: Section) -> [String: Glob] {
        var headers: [String: Glob] = [:]
        for (name, pattern) in section.textsByName("header").sorted(by: { $0.key < $1.key }) {
            if headers.updateValue(Glob(pattern), forKey: name.lowercased()) != nil {
                report(section.place("header").appending(name), "named twice in different case; remove one")
            }
        }
        return headers
    }

    /// One place in a chain.
    ///
    /// Names of models contain `@` themselves, so what stands behind the last one counts only if it names an
    /// upstream.
    private mutating func member(
        _ text: String,
        at place: JSONPointer,
        _ upstreams: [String: Upstream]
    ) -> ChainMember? {
        if text == "$requested" { return .requested }
        if text.hasPrefix("$") {
            report(place, "\(shown(text, at: place)) is not known; write $requested, or the name of a model")
            return nil
        }
        guard let at = text.lastIndex(of: "@"), upstreamNames.contains(String(text[text.index(after: at)...]))
        else {
            return .model(text, upstream: nil)
        }
        let upstream = String(text[text.index(after: at)...])
        if at == text.startIndex {
            report(place, "names no model before @; write model@\(upstream)")
            return nil
        }
        if upstreams[upstream]?.kind == .dify {
            report(place, "models at a Dify are not available in this version; remove it")
            return nil
        }
        return .model(String(text[..<at]), upstream: upstream)
    }
}
