let egressKeys = [
    KeyRow("egress", .object, .otherwise([:]), doc: "By which proxies providers are reached."),
    KeyRow(
        "egress.hops",
        .map(names: .name, of: .list(of: .text(.filled), atLeast: 1)),
        .otherwise([:]),
        isSecret: true,
        example: ["${VLESS_LINK}", "socks5://127.0.0.1:1080"],
        doc: """
            The ways out by their names. Each is a ladder of links, tried in order: `direct`, `socks5://`, `http://`, \
            `vless://`, `ss://`. The one that works is kept to.
            """
    ),
    KeyRow(
        "egress.forward",
        .list(of: .object),
        .otherwise([]),
        doc:
            "The hosts that the egress listener serves; the first entry that matches decides, no other is served."
    ),
    KeyRow(
        "egress.forward[].hosts",
        .list(of: .text(.filled), atLeast: 1),
        .required,
        example: ["*.googleapis.com"],
        doc: """
            Patterns for the host: `*` for any text, `?` for one character; at port 443, or at that of `host:port`. A \
            private address only where it is written out.
            """
    ),
    KeyRow(
        "egress.forward[].via",
        .text(.name),
        .required,
        example: "google",
        doc: "The hop by which they are reached."
    ),
    KeyRow(
        "egress.connectSeconds",
        .number(0.001...3_600, .seconds),
        .otherwise(5),
        doc: "For one link: to connect, with its handshakes."
    ),
    KeyRow(
        "egress.firstByteSeconds",
        .number(0.001...3_600, .seconds),
        .otherwise(5),
        doc: "For one link: from the first bytes that were sent through it to the first that came back."
    ),
    KeyRow(
        "egress.idleSeconds",
        .number(1...86_400, .seconds),
        .otherwise(3_600),
        doc: "For a connection of the forward proxy: between two bytes."
    ),
    KeyRow(
        "egress.probeSeconds",
        .number(0...86_400, .seconds),
        .otherwise(0),
        doc: "So often links that failed are tried in the background; 0 for never."
    ),
]
