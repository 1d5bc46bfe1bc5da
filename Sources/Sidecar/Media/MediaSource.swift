internal import AsyncHTTPClient
internal import NIOCore
internal import ObjectStore
internal import Synchronization

/// Opens the store that a configuration asks for, and keeps it as long as configurations ask for the same.
///
/// Nothing is started before one asks for any.
final class MediaSource: Sendable {
    private struct Opened {
        var settings: MediaSettings.Store
        var base: String
        var library: MediaLibrary
    }

    private struct State {
        var opened: Opened?
        var threads: MediaThreads?
        var http: HTTPClient?
    }

    private let group: any EventLoopGroup
    private let processors: Int
    private let extraCA: String?
    private let tracer: SpanTracer?
    private let log: EventLog
    private let state = Mutex(State())

    /// - Parameters:
    ///   - extraCA: path of a PEM file with further certificates to trust.
    ///   - tracer: makes spans of what is asked of a store.
    init(
        on group: any EventLoopGroup,
        processors: Int,
        extraCA: String?,
        tracer: SpanTracer? = nil,
        log: EventLog
    ) {
        self.group = group
        self.processors = processors
        self.extraCA = extraCA
        self.tracer = tracer
        self.log = log
    }

    /// The library for a configuration; nil where it asks for none.
    ///
    /// - Throws: when the store cannot be opened, such as a folder that may not be written to.
    func library(for configuration: Configuration) throws(ConfigurationError) -> MediaLibrary? {
        guard let media = configuration.media, let gateway = configuration.listen.gateway else { return nil }
        let base = media.store.base(gateway: gateway.address)
        if let note = media.note { log.write(.warning, note) }
        do throws(MediaStoreError) {
            return try library(of: media, base: base)
        } catch {
            let detail = [error.kind.rawValue, error.detail].filter { !$0.isEmpty }.joined(separator: ": ")
            let place = JSONPointer().appending(["media", "store"])
            throw ConfigurationError(
                .init(place, "cannot be opened (\(detail)); name one that can be written to")
            )
        }
    }

    private func library(of media: MediaSettings, base: String) throws(MediaStoreError) -> MediaLibrary {
        try state.withLock { (state) throws(MediaStoreError) in
            if let opened = state.opened, opened.settings == media.store, opened.base == base {
                return opened.library
            }
            let threads = state.threads ?? MediaThreads(processors: processors)
            state.threads = threads
            let store = try open(media.store, base: base, &state)
            let library = MediaLibrary(store, threads: threads, log: log)
            state.opened = Opened(settings: media.store, base: base, library: library)
            return library
        }
    }

    private func open(
        _ settings: MediaSettings.Store,
        base: String,
        _ state: inout State
    ) throws(MediaStoreError) -> any MediaStore {
        switch settings {
        case .directory(let directory):
            return try DirectoryStore(at: directory.path, base: base, mostBytes: directory.maxBytes)
        case .s3(let bucket):
            let http = state.http ?? S3Client.httpClient(on: group, extraCA: extraCA, tracer: tracer)
            state.http = http
            let signer = S3Signer(bucket.credentials, region: bucket.location.region)
            return S3Store(bucket.location, client: S3Client(http: http, signer: signer))
        }
    }

    /// Takes the port on which the gateway really listens, where the configuration leaves that to the system.
    func gatewayListens(on port: Int, _ configuration: Configuration) {
        guard case .directory(let directory)? = configuration.media?.store,
            var address = configuration.listen.gateway?.address, address.port == 0
        else { return }
        address.port = port
        let base = directory.base(gateway: address)
        try? (state.withLock { $0.opened?.library.store } as? DirectoryStore)?.rebase(to: base)
    }

    /// Ends threads and connections; uploads that are under way are given up.
    func stop() {
        let (threads, http) = state.withLock { state in
            defer { state = State() }
            return (state.threads, state.http)
        }
        threads?.stop()
        try? http?.syncShutdown()
    }
}

extension MediaSettings.Store {
    /// The base of URLs that the gateway serves; empty for a store that serves its own.
    fileprivate func base(gateway: ListenAddress) -> String {
        switch self {
        case .s3: ""
        case .directory(let directory): directory.base(gateway: gateway)
        }
    }
}
