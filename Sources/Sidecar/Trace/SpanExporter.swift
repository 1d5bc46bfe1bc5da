internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import Synchronization
internal import Telemetry

/// Posts batches of spans to a receiver of OTLP over HTTP.
///
/// <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.
struct SpanExporter: Sendable {
    /// Of an answer; what is behind it does not matter.
    private static let mostAnswerBytes = 65_536
    /// How often a wait looks whether the process ends.
    private static let waitStep = Duration.milliseconds(50)

    private let settings: TraceSettings
    private let http: HTTPClient
    private let export: TraceExport
    private let troubles: ExportTroubles
    private let isEnding: Switch

    init(_ settings: TraceSettings, http: HTTPClient, log: EventLog, isEnding: Switch) {
        self.settings = settings
        self.http = http
        self.isEnding = isEnding
        export = TraceExport(
            resource: settings.resource,
            scope: (name: "sidecar", version: BuildVersion.number)
        )
        troubles = ExportTroubles(log: log)
    }

    /// Sends a batch, again where that may help.
    ///
    /// - Returns: the number of spans that nobody took.
    func send(_ batch: [SpanBlock]) async -> Int {
        let body = ByteBuffer(bytes: export.body(of: batch))
        var retry = ExportRetry()
        while true {
            let (outcome, detail) = await post(body)
            switch retry.ended(outcome, chance: .random(in: 0..<1)) {
            case .done: return 0
            case .again(let delay):
                troubles.failed(detail)
                if await wait(delay) { continue }
            case .giveUp: troubles.failed(detail)
            }
            return batch.reduce(0) { $0 + $1.count }
        }
    }

    func stop() {
        try? http.syncShutdown()
    }

    /// - Returns: false when the process ends meanwhile.
    private func wait(_ delay: Duration) async -> Bool {
        let end = ContinuousClock.now + delay
        while ContinuousClock.now < end {
            guard !isEnding.value, (try? await Task.sleep(for: Self.waitStep)) != nil else { return false }
        }
        return true
    }

    /// - Returns: what came of it, and how that is logged.
    private func post(_ body: ByteBuffer) async -> (ExportRetry.Outcome, String) {
        var request = HTTPClientRequest(url: settings.endpoint)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-protobuf")
        request.headers.add(name: "user-agent", value: "sidecar/\(BuildVersion.number)")
        for (name, value) in settings.headers { request.headers.replaceOrAdd(name: name, value: value) }
        request.body = .bytes(body)
        do {
            let response = try await http.execute(request, deadline: .now() + settings.timeout)
            var byteCount = 0
            for try await piece in response.body {
                byteCount += piece.readableBytes
                if byteCount > Self.mostAnswerBytes { break }
            }
            return outcome(of: response)
        } catch {
            // Only its kind: a URL may hold a credential.
            let kind = (error as? HTTPClientError)?.shortDescription ?? "\(type(of: error))"
            return (.unanswered, kind)
        }
    }

    private func outcome(of response: HTTPClientResponse) -> (ExportRetry.Outcome, String) {
        let status = Int(response.status.code)
        guard !(200..<300).contains(status) else { return (.taken, "") }
        let seconds = response.headers.first(name: "retry-after").flatMap { Int($0) }
        let delay = seconds.map { Duration.seconds(max(0, min($0, 3600))) }
        return (.refused(status: status, retryAfter: delay), "status \(status)")
    }
}

extension SpanExporter {
    /// A client for the receiver; shut down by ``stop()``.
    ///
    /// - Parameter extraCA: path of a PEM file with further trusted certificates.
    static func httpClient(
        for settings: TraceSettings,
        on group: any EventLoopGroup,
        extraCA: String?
    ) -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        tls.additionalTrustRoots = [settings.certificate, extraCA].compactMap { $0.map { .file($0) } }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls,
            redirectConfiguration: .disallow,
            timeout: .init(connect: min(settings.timeout, .seconds(5))),
            decompression: .disabled
        )
        configuration.httpVersion = .http1Only
        // Batches are tried again, which tells sooner that nobody is there.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Sending spans makes none.
        configuration.tracing.tracer = nil
        return HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }
}

/// Tells the log that spans cannot be sent, once a minute at most.
final class ExportTroubles: Sendable {
    private static let interval = Duration.seconds(60)

    private let log: EventLog
    private let told = Mutex<ContinuousClock.Instant?>(nil)

    init(log: EventLog) {
        self.log = log
    }

    func failed(_ detail: String) {
        let now = ContinuousClock.now
        let isDue = told.withLock { told in
            if let last = told, now - last < Self.interval { return false }
            told = now
            return true
        }
        guard isDue else { return }
        log.write(.warning, "spans cannot be sent; see OTEL_EXPORTER_OTLP_ENDPOINT", [("error", detail)])
    }
}
