internal import ArgumentParser
internal import ObjectStore

/// Prints a URL under which anybody may fetch one image for a time.
struct Sign: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a presigned URL for an object in the configured store."
    )

    @Argument(help: "The object's key, such as ab/ab….png with 64 digits.")
    var key: String

    @Option(help: "How long the URL holds, in seconds; media.urlLifetimeSeconds unless given.")
    var expires: Int?

    @OptionGroup var options: ConfigurationOptions

    func validate() throws {
        if let expires, !(1...604_800).contains(expires) {
            throw ValidationError("--expires is outside 1...604800; a signature holds for at most 7 days.")
        }
    }

    func run() throws {
        guard let name = ObjectName(key: key) else {
            StandardError.print(
                "sidecar: no key of an image; write the first 2 digits, a slash, the 64 digits of its SHA-256, a dot and "
                    + ImageFormat.allCases.map(\.rawValue).joined(separator: ", ")
            )
            throw Exit.unknownName
        }
        let configuration = try options.load().configuration
        guard let media = configuration.media else {
            StandardError.print("sidecar: no store is configured; name media.store in the configuration")
            throw Exit.badConfiguration
        }
        let lifetime = expires.map { Duration.seconds($0) } ?? media.urlLifetime
        do throws(MediaStoreError) {
            print(try Self.url(for: name, lifetime, media, gateway: configuration.listen.gateway?.address))
        } catch {
            StandardError.print(
                "sidecar: the store's secret cannot be used: \(error.detail); check media.store.path"
            )
            throw Exit.badConfiguration
        }
    }

    /// Signed at the present instant; for browsers where it is known how they reach the gateway.
    private static func url(
        for name: ObjectName,
        _ lifetime: Duration,
        _ media: MediaSettings,
        gateway: ListenAddress?
    ) throws(MediaStoreError) -> String {
        switch media.store {
        case .s3(let s3):
            let signer = S3Signer(s3.credentials, region: s3.location.region)
            return signer.url(for: name, in: s3.location, at: Clock.signingTime(), lifetime: lifetime)
        case .directory(let directory):
            let here = ListenAddress(host: "127.0.0.1", port: 4100)
            let location = try DirectoryStore.location(
                media.publicURL ?? directory.base(gateway: gateway ?? here),
                try DirectorySecret.load(from: StoreFolder(at: directory.path))
            )
            return location.signedURL(for: name, at: Clock.signingTime(), lifetime: lifetime)
        }
    }
}
