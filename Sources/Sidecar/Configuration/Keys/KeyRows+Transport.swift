let transportKeys =
    timeoutKeys + streamKeys + mediaKeys + egressKeys + experimentKeys + limitKeys + logKeys

private let timeoutKeys = [
    KeyRow("timeouts", .object, .otherwise([:]), doc: "Limits of a request that matches a route."),
    KeyRow(
        "timeouts.connectSeconds",
        .number(0.001...3_600, .seconds),
        .otherwise(5),
        doc: "To connect; for every request, whether or not it matches."
    ),
    KeyRow(
        "timeouts.firstByteSeconds",
        .number(0.001...86_400, .seconds),
        .otherwise(600),
        doc: "To the first byte of an answer that is not streamed."
    ),
    KeyRow(
        "timeouts.firstTokenSeconds",
        .number(0.001...86_400, .seconds),
        .otherwise(120),
        doc: "To the first delta of a stream, reasoning too."
    ),
    KeyRow(
        "timeouts.idleSeconds",
        .number(0.001...86_400, .seconds),
        .otherwise(120),
        doc: "Between two bytes."
    ),
    KeyRow(
        "timeouts.totalSeconds",
        .number(0.001...86_400, .seconds),
        .otherwise(1_800),
        doc: "To the end of the answer."
    ),
]

private let streamKeys = [
    KeyRow("stream", .object, .otherwise([:]), doc: "What happens to streams."),
    KeyRow(
        "stream.onCut",
        .choice(StreamSettings.OnCut.allCases.map(\.rawValue)),
        .otherwise("error"),
        doc: """
            What the client gets when a streamed chat answer breaks off: a last event that says so, or the rest of it \
            from the next target of the chain.
            """
    ),
]

private let limitKeys = [
    KeyRow("limits", .object, .otherwise([:]), doc: "What one client, and all together, may take."),
    KeyRow(
        "limits.maxBodyBytes",
        .integer(1...1_073_741_824, .bytes),
        .otherwise(67_108_864),
        doc: "The largest body that is inspected; more is answered with 413."
    ),
    KeyRow(
        "limits.maxBufferedBytes",
        .integer(1...68_719_476_736, .bytes),
        .otherwise(268_435_456),
        doc: "All buffered bytes together; past it reading stops, after 10 s the answer is 503."
    ),
    KeyRow(
        "limits.maxHeaderBytes",
        .integer(256...1_048_576, .bytes),
        .otherwise(65_536),
        doc: "The largest request head; more is answered with 431."
    ),
    KeyRow(
        "limits.maxConnections",
        .integer(1...1_000_000),
        .otherwise(10_000),
        doc: "Client connections at one time."
    ),
]

private let logKeys = [
    KeyRow("log", .object, .otherwise([:]), doc: "What goes to standard output."),
    KeyRow(
        "log.level",
        .choice(LogSettings.Level.allCases.map(\.rawValue)),
        .otherwise("info"),
        doc: "The least level that is written."
    ),
    KeyRow(
        "log.bodies",
        .flag,
        .otherwise(false),
        .mustBeEmpty,
        doc: "Whether prompts and answers are logged."
    ),
]
