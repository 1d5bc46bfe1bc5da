let mediaKeys =
    [
        KeyRow(
            "media",
            .object,
            doc: "Keeps images in a store instead of in requests and answers; off where it is missing."
        )
    ] + storeKeys + s3Keys + linkKeys

private let storeKeys = [
    KeyRow("media.store", .object, .otherwise([:]), doc: "Where images are kept."),
    KeyRow(
        "media.store.kind",
        .choice(MediaSettings.Kind.allCases.map(\.rawValue)),
        .otherwise(.text(MediaSettings.Kind.directory.rawValue)),
        doc:
            "A folder that the gateway serves, or a bucket: MinIO, or any other S3. Keys of the other kind are ignored."
    ),
    KeyRow(
        "media.store.path",
        .text(.filled),
        .otherwise("var/media"),
        doc: "The folder of kind `directory`; made where it is missing."
    ),
    KeyRow(
        "media.store.maxBytes",
        .integer(1...1_000_000_000_000_000, .bytes),
        example: 10_737_418_240,
        doc: """
            The most that kind `directory` keeps; no limit where missing. When it is reached, images of requests go \
            first, those of answers never; then storing fails.
            """
    ),
    KeyRow(
        "media.store.endpointForUpstream",
        .text(.url),
        example: "http://sidecar:4100",
        doc: """
            Where upstreams fetch the images of kind `directory`; the gateway's port on 127.0.0.1 where missing.
            """
    ),
]

private let s3Keys = [
    KeyRow(
        "media.store.endpoint",
        .text(.url),
        example: "http://minio:9000",
        doc: "Where kind `s3` uploads; required there."
    ),
    KeyRow(
        "media.store.publicEndpoint",
        .text(.url),
        example: "https://minio.example.org",
        doc: "Where those who have a link fetch from kind `s3`; `endpoint` where missing."
    ),
    KeyRow(
        "media.store.bucket",
        .text(.filled),
        example: "sidecar-media",
        doc: "Required for kind `s3`; made where it is missing."
    ),
    KeyRow("media.store.region", .text(.filled), .otherwise("us-east-1"), doc: "What signatures name."),
    KeyRow(
        "media.store.accessKey",
        .text(.credential),
        example: "${S3_ACCESS_KEY}",
        doc: "Required for kind `s3`; it stands in links."
    ),
    KeyRow(
        "media.store.secretKey",
        .text(.credential),
        isSecret: true,
        example: "${S3_SECRET_KEY}",
        doc: "Required for kind `s3`."
    ),
    KeyRow(
        "media.store.pathStyle",
        .flag,
        .otherwise(true),
        doc: "Whether the bucket stands in the path, and not before the host's name."
    ),
]

private let linkKeys = [
    KeyRow(
        "media.publicURL",
        .text(.url),
        example: "https://ai.example.org",
        doc: "Where browsers reach the gateway; needed by `responses`."
    ),
    KeyRow(
        "media.requests",
        .flag,
        .otherwise(true),
        doc: "Whether images of requests are stored, and replaced by links where the model takes them."
    ),
    KeyRow(
        "media.responses",
        .flag,
        .otherwise(true),
        doc: "Whether images of answers are stored and replaced by links that stay; off without `publicURL`."
    ),
    KeyRow(
        "media.minBytes",
        .integer(0...1_073_741_824, .bytes),
        .otherwise(2_048),
        doc: "Smaller images stay where they are."
    ),
    KeyRow(
        "media.urlLifetimeSeconds",
        .integer(2...604_800, .seconds),
        .otherwise(604_800),
        doc: "How long a link to an upstream holds; it is signed anew with every request."
    ),
    KeyRow(
        "media.signWindowSeconds",
        .integer(1...302_400, .seconds),
        .otherwise(43_200),
        doc: """
            So long an image keeps the same link, and prompt caches hold; at most half of `urlLifetimeSeconds`.
            """
    ),
    KeyRow(
        "media.onStoreFailure",
        .choice(MediaSettings.StoreFailure.allCases.map(\.rawValue)),
        .otherwise(.text(MediaSettings.StoreFailure.inline.rawValue)),
        doc: "`inline` sends images on as they came, `reject` answers 503."
    ),
]
