internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Policies

/// One request to the admin listener.
struct AdminRequest: Sendable {
    let head: HTTPRequestHead
    let body: ByteBuffer

    var path: Substring { head.uri.prefix { $0 != "?" } }
    var isRead: Bool { head.method == .GET || head.method == .HEAD }
}

/// One answer of the admin listener.
struct AdminPage: Sendable {
    var status = HTTPResponseStatus.ok
    var contentType = "text/plain; charset=utf-8"
    var body: String
    /// Beside those that every answer has.
    var headers: HTTPHeaders = ["cache-control": "no-store"]

    static let unauthorized = AdminPage(
        status: .unauthorized,
        body: "send Authorization: Bearer with listen.admin.token\n"
    )
    static let notFound = AdminPage(
        status: .notFound,
        body: """
            there are GET / for people, /metrics, /status, /requests, /health/live, /health/ready, /receipts/ID,
            POST /reload, /explain, /breakers/TARGET/open and /breakers/TARGET/close

            """
    )

    static func wrongMethod(_ allowed: String) -> AdminPage {
        AdminPage(status: .methodNotAllowed, body: "use \(allowed)\n")
    }

    static func json(_ value: some Encodable, status: HTTPResponseStatus = .ok) -> AdminPage {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let body = (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        return AdminPage(status: status, contentType: "application/json", body: body + "\n")
    }
}

/// What the admin listener shows and does.
struct AdminPages: Sendable {
    let shared: SharedState
    let token: String?
    let loops: [NIOLoopBound<LoopContext>]
    let reloader: Reloader
    /// Whether every listener is open.
    let isReady: Switch
    /// When the process was ready to tell about itself: seconds since 1970.
    let started = Clock.epochSeconds()

    /// The answer to a request; never fails.
    func answer(_ request: AdminRequest, on eventLoop: any EventLoop) -> EventLoopFuture<AdminPage> {
        switch request.path {
        case "/health/live": return now(AdminPage(body: "ok\n"), on: eventLoop)
        case "/health/ready": return now(readiness, on: eventLoop)
        case "/metrics":
            guard request.isRead else { return now(.wrongMethod("GET"), on: eventLoop) }
            return metrics(as: MetricsFormat(accepting: request.head.headers), on: eventLoop)
        // Open to all: what it shows it asks for, with the token.
        case "/": return now(request.isRead ? statusPage(request.head) : .wrongMethod("GET"), on: eventLoop)
        default: break
        }
        guard isAuthorized(request.head) else { return now(.unauthorized, on: eventLoop) }
        guard request.isRead || !request.comesFromElsewhere else { return now(.foreign, on: eventLoop) }
        if ["/status", "/requests"].contains(request.path) {
            guard request.isRead else { return now(.wrongMethod("GET"), on: eventLoop) }
            return request.path == "/status" ? status(on: eventLoop) : recentRequests(on: eventLoop)
        }
        if request.path == "/reload" {
            return request.head.method == .POST
                ? reload(on: eventLoop) : now(.wrongMethod("POST"), on: eventLoop)
        }
        guard request.path == "/explain" else { return now(page(for: request), on: eventLoop) }
        guard request.head.method == .POST else { return now(.wrongMethod("POST"), on: eventLoop) }
        // Counting a large body takes longer than the clients of an event loop should wait.
        return NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { explanation(request) }
    }

    /// Whether the body of a request is worth keeping: nobody without the token has one held.
    func takesBody(_ head: HTTPRequestHead) -> Bool {
        AdminRequest(head: head, body: ByteBuffer()).path == "/explain" && isAuthorized(head)
    }

    /// The pages that need nobody else.
    private func page(for request: AdminRequest) -> AdminPage {
        let parts = request.path.split(separator: "/")
        switch (parts.first, parts.count) {
        case ("receipts", 2): return request.isRead ? receipt(String(parts[1])) : .wrongMethod("GET")
        case ("breakers", 3) where ["open", "close"].contains(parts[2]):
            return request.head.method == .POST
                ? force(String(parts[1]), open: parts[2] == "open") : .wrongMethod("POST")
        default: return .notFound
        }
    }

    private func now(_ page: AdminPage, on eventLoop: any EventLoop) -> EventLoopFuture<AdminPage> {
        eventLoop.makeSucceededFuture(page)
    }

    private var readiness: AdminPage {
        if shared.isDraining.value { return AdminPage(status: .serviceUnavailable, body: "draining\n") }
        return isReady.value
            ? AdminPage(body: "ready\n") : AdminPage(status: .serviceUnavailable, body: "starting\n")
    }

    /// Compares without an early end, so that the time taken tells nothing about the token.
    private func isAuthorized(_ head: HTTPRequestHead) -> Bool {
        guard let token, !token.isEmpty else { return true }
        return (head.headers.first(name: "authorization") ?? "").isEqualInConstantTime(to: "Bearer \(token)")
    }

    private func receipt(_ id: String) -> AdminPage {
        guard let receipt = shared.receipts[id.percentDecoded] else {
            return AdminPage(status: .notFound, body: "no receipt: not clipped, or too long ago\n")
        }
        return .json(receipt)
    }

    /// Explains a body as if it came to the gateway; `x-explain-path` and `x-explain-listener` name others.
    ///
    /// `x-explain-authorization` stands for the client's `Authorization`: the field itself has the admin's token.
    private func explanation(_ request: AdminRequest) -> AdminPage {
        let headers = request.head.headers
        let listener = headers.first(name: "x-explain-listener") ?? "gateway"
        guard let name = ProxyListener.Name(rawValue: listener) else {
            return AdminPage(status: .badRequest, body: "x-explain-listener: write gateway or dify\n")
        }
        let asked = ExplainedRequest(
            path: headers.first(name: "x-explain-path") ?? "/v1/chat/completions",
            headerLines: headers.filter { !Self.ownFields.contains($0.name.lowercased()) }
                .map { "\($0.name): \($0.value)" }
                + headers["x-explain-authorization"].map { "Authorization: \($0)" },
            body: request.body,
            listener: name
        )
        do {
            let explanation = try Explanation(asked, in: shared.decisionContext(shared.snapshot))
            return .json(explanation)
        } catch {
            return AdminPage(status: .badRequest, body: error.problem + "\n")
        }
    }

    /// Fields of the question itself rather than of the request that is asked about.
    private static let ownFields: Set<String> = [
        "content-length", "transfer-encoding", "connection", "expect", "authorization",
        "x-explain-authorization",
        "x-explain-path", "x-explain-listener",
    ]

    /// - Parameter name: a target as `/status` spells it, percent-encoded.
    private func force(_ name: String, open: Bool) -> AdminPage {
        let name = name.percentDecoded
        let snapshot = shared.snapshot
        guard let target = snapshot.target(named: name) else {
            return AdminPage(
                status: .notFound,
                body: "write the target as /status spells it: model@upstream\n"
            )
        }
        let settings = snapshot.configuration.policies.breaker
        let change = shared.memory.breakers.force(target, open: open, settings)
        EventLog(writer: shared.logWriter).breakerChanged(change, target, because: "operator")
        return AdminPage(body: "\(name): \(open ? "open" : "closed")\n")
    }

    private func reload(on eventLoop: any EventLoop) -> EventLoopFuture<AdminPage> {
        let promise = eventLoop.makePromise(of: AdminPage.self)
        reloader.reload { outcome in
            switch outcome {
            case .reloaded(let hash, let waiting):
                promise.succeed(.json(["config_hash": [hash], "waiting_for_restart": waiting]))
            case .refused(let problems):
                promise.succeed(.json(["problems": problems], status: .unprocessableEntity))
            case .nothingToReload:
                promise.succeed(
                    AdminPage(
                        status: .conflict,
                        body: "the embedded defaults are in force; start with --config\n"
                    )
                )
            }
        }
        return promise.futureResult
    }
}

extension String {
    /// The text with `%XX` decoded (RFC 3986, section 2.1); what is no such triplet stays.
    var percentDecoded: String {
        let bytes = Array(utf8)
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let digits = bytes.dropFirst(index + 1).prefix(2)
            if bytes[index] == 0x25, digits.count == 2,
                let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                decoded.append(byte)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
