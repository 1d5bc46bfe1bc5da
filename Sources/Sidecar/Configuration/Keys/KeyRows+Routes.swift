let routeKeys =
    [
        KeyRow(
            "routes",
            .list(of: .object),
            .otherwise([]),
            doc: "Where requests go; the first route that matches takes one, none forwards it unchanged."
        ),
        KeyRow(
            "routes[].name",
            .text(.name),
            .required,
            example: "claude",
            doc: "Its name in metrics and logs."
        ),
    ]
    + conditionKeys("routes[].when", doc: "What a request must be; all that is given must hold.")
    + [
        KeyRow(
            "routes[].chain",
            .list(of: .text(.filled), atLeast: 1),
            .required,
            example: ["$requested", "gemini-3-pro"],
            doc:
                "Tried in order: `model`, `model@upstream`, or `$requested` for the model that was asked for."
        )
    ]

/// The rows of a condition that requests must meet.
func conditionKeys(_ path: String, doc: String) -> [KeyRow] {
    [
        KeyRow(path, .object, .otherwise([:]), doc: doc),
        KeyRow(
            "\(path).model",
            .list(of: .text(.filled)),
            .otherwise([]),
            example: ["claude*"],
            doc: "Patterns for the requested model, one of which must match."
        ),
        KeyRow("\(path).images", .flag, example: true, doc: "Whether the request carries images."),
        KeyRow("\(path).vision", .flag, example: false, doc: "Whether the requested model sees images."),
        KeyRow("\(path).task", .flag, example: true, doc: "Whether it is a background task of Open WebUI."),
        KeyRow("\(path).minTokens", .integer(0...100_000_000, .tokens), doc: "The smallest prompt."),
        KeyRow("\(path).maxTokens", .integer(0...100_000_000, .tokens), doc: "The largest prompt."),
        KeyRow(
            "\(path).header",
            .map(names: .fieldName, of: .text(.filled)),
            .otherwise([:]),
            example: ["x-team": "design*"],
            doc: "Patterns by header name; all must match."
        ),
        KeyRow("\(path).path", .text(.filled), example: "/v1/*", doc: "Pattern for the path."),
        KeyRow(
            "\(path).contains",
            .list(of: .text(.filled)),
            .otherwise([]),
            example: ["logo"],
            doc: "Words, any of which the last user message must contain; case does not count."
        ),
    ]
}
