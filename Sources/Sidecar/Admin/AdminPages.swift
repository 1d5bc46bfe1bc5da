internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1
internal import Policies
internal import Telemetry

/// One answer of the admin listener.
struct AdminPage: Sendable {
    var status = HTTPResponseStatus.ok
    var contentType = "text/plain; charset=utf-8"
    var body: String
}

/// What the admin listener shows.
struct AdminPages: Sendable {
    let shared: SharedState
    let token: String?
    let snapshot: Snapshot
    let loops: [NIOLoopBound<LoopContext>]
    /// Whether every listener is open.
    let isReady: Switch

    /// The answer to a request; never fails.
    func answer(_ head: HTTPRequestHead, on eventLoop: any EventLoop) -> EventLoopFuture<AdminPage> {
        let path = head.uri.prefix { $0 != "?" }
        switch path {
        case "/health/live": return ready(AdminPage(body: "ok\n"), on: eventLoop)
        case "/health/ready": return ready(readiness, on: eventLoop)
        case "/metrics", "/status": break
        default: return ready(unknown(path), on: eventLoop)
        }
        guard head.method == .GET || head.method == .HEAD else {
            return ready(AdminPage(status: .methodNotAllowed, body: "use GET\n"), on: eventLoop)
        }
        if path == "/metrics" { return metrics(on: eventLoop) }
        guard isAuthorized(head) else {
            return ready(
                AdminPage(
                    status: .unauthorized,
                    body: "send Authorization: Bearer with listen.admin.token\n"
                ),
                on: eventLoop
            )
        }
        return ready(status, on: eventLoop)
    }

    private func ready(_ page: AdminPage, on eventLoop: any EventLoop) -> EventLoopFuture<AdminPage> {
        eventLoop.makeSucceededFuture(page)
    }

    private func unknown(_ path: some StringProtocol) -> AdminPage {
        AdminPage(
            status: .notFound,
            body: "there are /metrics, /status, /health/live and /health/ready\n"
        )
    }

    private var readiness: AdminPage {
        if shared.isDraining.value { return AdminPage(status: .serviceUnavailable, body: "draining\n") }
        return isReady.value
            ? AdminPage(body: "ready\n") : AdminPage(status: .serviceUnavailable, body: "starting\n")
    }

    /// Compares without an early end, so that the time taken tells nothing about the token.
    private func isAuthorized(_ head: HTTPRequestHead) -> Bool {
        guard let token, !token.isEmpty else { return true }
        let expected = Array("Bearer \(token)".utf8)
        let given = Array((head.headers.first(name: "authorization") ?? "").utf8)
        guard given.count == expected.count else { return false }
        return zip(given, expected).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Adds up the figures of all loops.
    private func metrics(on eventLoop: any EventLoop) -> EventLoopFuture<AdminPage> {
        let shards = loops.map { loop in loop.eventLoop.submit { loop.value.figures() } }
        return EventLoopFuture.whenAllSucceed(shards, on: eventLoop).map { shards in
            var total = MetricsShard()
            for shard in shards { total.merge(shard) }
            addGauges(to: &total)
            return AdminPage(contentType: "text/plain; version=0.0.4; charset=utf-8", body: total.exposition)
        }.recover { _ in AdminPage(status: .serviceUnavailable, body: "stopping\n") }
    }

    private func addGauges(to total: inout MetricsShard) {
        let now = ContinuousClock.now
        // Models that nobody lists share the label `other`: it shows the worst of them.
        let states = Dictionary(
            shared.breakers.states.map { (snapshot.label(of: $0.target), $0.breaker.status(at: now).gauge) },
            uniquingKeysWith: max
        )
        for (target, state) in states { total.set(.breakerState, Labels(target), to: state) }
        total.set(.configurationInfo, Labels(Label(snapshot.configuration.hash)), to: 1)
        total.add(.reloads, Labels(Label("ok")), 0)
        total.set(.logLinesDropped, to: Double(shared.logWriter.droppedLines))
        ProcessFigures.add(to: &total)
    }

    private var status: AdminPage {
        let now = ContinuousClock.now
        let document = StatusDocument(
            version: BuildVersion.number,
            configuration: snapshot.configuration.hash,
            draining: shared.isDraining.value,
            connections: shared.connections.value,
            bufferedBytes: shared.bufferedBytes.value,
            breakers: shared.breakers.states.map { target, breaker in
                let status = breaker.status(at: now)
                return .init(
                    target: "\(target.model)@\(target.upstream)",
                    state: status.word,
                    remainingSeconds: status.remaining.map { Double($0.components.seconds) }
                )
            }
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let body = (try? encoder.encode(document)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        return AdminPage(contentType: "application/json", body: body + "\n")
    }
}

/// The answer to `GET /status`.
private struct StatusDocument: Encodable {
    struct Breaker: Encodable {
        let target: String
        let state: String
        let remainingSeconds: Double?
    }

    let version: String
    let configuration: String
    let draining: Bool
    let connections: Int
    let bufferedBytes: Int
    let breakers: [Breaker]
}
