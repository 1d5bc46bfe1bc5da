internal import Policies
internal import TokenCount

/// Describes the whole file.
let keyRootDoc = """
    Configuration of the sidecar. Any string may contain ${NAME} or ${NAME:-default}, taken from the \
    environment; NAME_FILE names a file that holds it. A missing key means its default.
    """

/// Every key of the configuration file, in the order of README's table.
///
/// A new key is one row here, and one line where the settings are made from it.
let keyRows: [KeyRow] =
    generalKeys + listenKeys + upstreamKeys + modelKeys + routeKeys + policyKeys + transportKeys

private let generalKeys = [
    KeyRow(
        "$schema",
        .text(.any),
        example: "./antigravity.schema.json",
        doc: "Where an editor finds the schema."
    ),
    KeyRow("version", .integer(1...1), .required, example: 1, doc: "Version of this format."),
]

private let listenKeys = [
    KeyRow(
        "listen",
        .object,
        .otherwise(["gateway": [:], "admin": [:]]),
        doc: "The listeners; only those that are named exist. Changes need a restart."
    ),
    KeyRow("listen.gateway", .object, doc: "Takes the requests that are meant for LiteLLM."),
    KeyRow(
        "listen.gateway.address",
        .text(.address),
        .otherwise("${SIDECAR_GATEWAY:-0.0.0.0:4100}"),
        doc: "`host:port`, an IPv6 address in brackets; port 0 for any free one."
    ),
    KeyRow(
        "listen.gateway.upstream",
        .text(.name),
        .otherwise("litellm"),
        doc: "The upstream that it stands before."
    ),
    KeyRow(
        "listen.gateway.clientKeys",
        .list(of: .text(.credential)),
        .otherwise([]),
        isSecret: true,
        example: ["${DESIGN_TEAM_KEY}"],
        doc: "Client keys that are vouched for without asking LiteLLM."
    ),
    KeyRow("listen.dify", .object, doc: "Takes the requests that are meant for Dify."),
    KeyRow("listen.dify.address", .text(.address), .otherwise("0.0.0.0:4105"), doc: "As for the gateway."),
    KeyRow(
        "listen.dify.upstream",
        .text(.name),
        .otherwise("dify"),
        doc: "The upstream that it stands before."
    ),
    KeyRow("listen.egress", .object, doc: "A way out to providers for LiteLLM: a reverse path and a proxy."),
    KeyRow(
        "listen.egress.address",
        .text(.address),
        .otherwise("127.0.0.1:4110"),
        doc: "As for the gateway."
    ),
    KeyRow(
        "listen.egress.credentials",
        .text(.token),
        .otherwise(""),
        isSecret: true,
        example: "litellm:${EGRESS_PASSWORD}",
        doc: """
            `user:password` that CONNECT and SOCKS5 ask for; none where empty. The reverse path asks for none: it carries \
            the provider's own key.
            """
    ),
    KeyRow("listen.admin", .object, doc: "Serves metrics, health and status."),
    KeyRow("listen.admin.address", .text(.address), .otherwise("127.0.0.1:4190"), doc: "As for the gateway."),
    KeyRow(
        "listen.admin.token",
        .text(.token),
        .otherwise("${SIDECAR_ADMIN_TOKEN:-}"),
        isSecret: true,
        doc: "Bearer token for everything but health and metrics. Without one the address must be loopback."
    ),
]

private let upstreamKeys = [
    KeyRow(
        "upstreams",
        .map(names: .name, of: .object),
        .otherwise(["litellm": ["url": "${LITELLM_URL:-http://127.0.0.1:4000}"]]),
        doc: "The servers behind the listeners, by a name that listeners and chains use."
    ),
    KeyRow(
        "upstreams.*.kind",
        .choice(Upstream.Kind.allCases.map(\.rawValue)),
        doc: "What the server is. May be left out where the upstream's name is one of these."
    ),
    KeyRow(
        "upstreams.*.url",
        .text(.url),
        .required,
        example: "http://127.0.0.1:4000",
        doc:
            "`http` or `https`, host, port and a path to put before every path; for kind `openai` in place of `/v1`."
    ),
    KeyRow(
        "upstreams.*.apps",
        .map(names: .name, of: .object),
        .otherwise([:]),
        .mustBeEmpty,
        doc: "Dify apps that are offered as models."
    ),
    KeyRow(
        "upstreams.*.bearer",
        .text(.credential),
        isSecret: true,
        example: "${GEMINI_API_KEY}",
        doc: """
            The sidecar's own credential for the upstream, which then sees none of the client's. For clients that are \
            vouched for: by a LiteLLM behind the listener, or by `clientKeys`.
            """
    ),
    KeyRow(
        "upstreams.*.egress",
        .text(.any),
        .otherwise(""),
        example: "google",
        doc: "The hop by which it is reached, one of `egress.hops`; none where empty."
    ),
]

private let modelKeys = [
    KeyRow(
        "models",
        .list(of: .object),
        .otherwise([]),
        doc: "What models can take; the first entry that matches describes a model."
    ),
    KeyRow(
        "models[].match",
        .list(of: .text(.filled), atLeast: 1),
        .required,
        example: ["claude*", "anthropic/*"],
        doc: "Patterns for the model's name: `*` for any text, `?` for one character."
    ),
    KeyRow(
        "models[].encoding",
        .choice(Encoding.all.map(\.name)),
        .otherwise("o200k_base"),
        doc: "The vocabulary that counts its tokens, its own or a near one."
    ),
    KeyRow(
        "models[].tokenScale",
        .number(0.1...10),
        .otherwise(1),
        doc: "The model's own tokens for one token of `encoding`; divides `contextTokens`."
    ),
    KeyRow(
        "models[].contextTokens",
        .integer(1...100_000_000, .tokens),
        example: 200_000,
        doc: "The model's window in its own tokens. Unknown where missing: nothing is clipped to it."
    ),
    KeyRow(
        "models[].vision",
        .flag,
        example: true,
        doc: "Whether the model sees images. Unknown where missing: `when.vision` does not match."
    ),
    KeyRow(
        "models[].images",
        .choice(ImageForm.allCases.map(\.rawValue)),
        .otherwise("inline"),
        doc: "How the model takes images: as the address of the stored image, or within the request."
    ),
    KeyRow(
        "models[].imageTokens",
        .choice(ImageRule.allCases.map(\.rawValue)),
        .otherwise("openai"),
        example: "claude",
        doc: "The provider's formula that counts an image."
    ),
    KeyRow(
        "models[].prefill",
        .flag,
        .otherwise(false),
        doc: "Whether it goes on with an answer that was begun for it, where `stream.onCut` is `resume`."
    ),
    KeyRow(
        "models[].calibrate",
        .flag,
        .otherwise(false),
        doc: """
            Whether `tokenScale` is raised, in steps of 5 % and at most to its double, so that 99 of 100 prompts have \
            no more tokens than expected. From 50 answers on.
            """
    ),
    KeyRow("models[].price", .object, doc: "What the model costs."),
    KeyRow(
        "models[].price.inputPerMillion",
        .number(0...1_000_000, .dollars),
        .required,
        example: 3,
        doc: "Price of the prompt."
    ),
    KeyRow(
        "models[].price.outputPerMillion",
        .number(0...1_000_000, .dollars),
        .required,
        example: 15,
        doc: "Price of the answer."
    ),
    KeyRow(
        "models[].price.cachedInputPerMillion",
        .number(0...1_000_000, .dollars),
        example: 0.3,
        doc: "Price of what the provider had cached; `inputPerMillion` where missing."
    ),
]
