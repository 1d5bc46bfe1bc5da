internal import ObjectStore

extension Compilation {
    /// Nil where the file does not ask for it, or what it asks for is wrong.
    mutating func media() -> MediaSettings? {
        guard let section = file.section("media") else { return nil }
        if file.section("listen")?.section("gateway") == nil {
            report(section.pointer, "images come through the gateway; name listen.gateway, or remove it")
        }
        let store = store(section.filled("store", Section.section))
        let publicURL = section.text("publicURL").map(Self.withoutSlash)
        let isWanted: Bool = section.filled("responses", Section.flag)
        let settings = store.map {
            MediaSettings(
                store: $0,
                publicURL: publicURL,
                requests: section.filled("requests", Section.flag),
                responses: isWanted && publicURL != nil,
                minBytes: section.filled("minBytes", Section.integer),
                urlLifetime: section.seconds("urlLifetimeSeconds"),
                signWindow: section.seconds("signWindowSeconds"),
                onStoreFailure: section.word("onStoreFailure"),
                note: isWanted && publicURL == nil
                    ? "media.responses is off, since media.publicURL is missing" : nil
            )
        }
        checkLifetime(in: section)
        return settings
    }

    /// A link is up to a window old when it is sent, and must still hold for as long.
    private mutating func checkLifetime(in section: Section) {
        let lifetime: Int = section.filled("urlLifetimeSeconds", Section.integer)
        let window: Int = section.filled("signWindowSeconds", Section.integer)
        guard lifetime < 2 * window else { return }
        report(
            section.place("signWindowSeconds"),
            "\(window) is more than half of urlLifetimeSeconds (\(lifetime)); write \(lifetime / 2) or less, or raise that"
        )
    }

    private mutating func store(_ section: Section) -> MediaSettings.Store? {
        let kind: MediaSettings.Kind = section.word("kind")
        switch kind {
        case .s3: return s3(section)
        case .directory:
            return .directory(
                MediaSettings.Directory(
                    path: section.filled("path", Section.text),
                    maxBytes: section.integer("maxBytes"),
                    endpointForUpstream: section.text("endpointForUpstream").map(Self.withoutSlash)
                )
            )
        }
    }

    private mutating func s3(_ section: Section) -> MediaSettings.Store? {
        if section.keys["maxBytes"] != nil {
            report(section.place("maxBytes"), "a bucket has rules of its own for that; remove it")
        }
        for key in ["endpoint", "bucket", "accessKey", "secretKey"] where section.keys[key] == nil {
            report(section.place(key), "missing, and kind s3 needs it; write it, or kind directory")
        }
        let endpoint = origin("endpoint", in: section)
        let publicEndpoint =
            section.keys["publicEndpoint"] == nil ? endpoint : origin("publicEndpoint", in: section)
        let bucket = name("bucket", in: section, as: BucketName.init)
        let region = name("region", in: section, as: S3Region.init)
        guard let endpoint, let publicEndpoint, let bucket, let region,
            let accessKey = section.text("accessKey"), let secretKey = section.text("secretKey")
        else { return nil }
        let location = S3Location(
            endpoint: endpoint,
            publicEndpoint: publicEndpoint,
            bucket: bucket,
            region: region,
            usesPathStyle: section.filled("pathStyle", Section.flag)
        )
        let credentials = S3Credentials(accessKey: accessKey, secretKey: secretKey)
        return .s3(MediaSettings.S3(location: location, credentials: credentials))
    }

    private mutating func origin(_ key: String, in section: Section) -> WebOrigin? {
        guard let text = section.text(key) else { return nil }
        if let origin = WebOrigin(text) { return origin }
        report(
            section.place(key),
            "names more than scheme, host and port; write one such as http://minio:9000"
        )
        return nil
    }

    private mutating func name<Name>(
        _ key: String,
        in section: Section,
        as make: (String) -> Name?
    ) -> Name? {
        guard let text = section.text(key) else { return nil }
        if let name = make(text) { return name }
        let place = section.place(key)
        report(
            place,
            "\(shown(text, at: place)) is no name of a \(key); write lower-case letters, digits and '-', 63 at most"
        )
        return nil
    }

    private static func withoutSlash(_ url: String) -> String {
        var url = url
        while url.last == "/" { url.removeLast() }
        return url
    }
}
