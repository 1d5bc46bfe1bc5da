/// Every way a request can fail inside the sidecar.
///
/// Upstream answers are not errors: a 429 that is passed on is a response.
enum SidecarError: Error, Equatable {
    case badRequest(String)
    case requestTimedOut
    case bodyTooLarge(limitBytes: Int)
    case headTooLarge(limitBytes: Int)
    case unknownTransferCoding
    case tooManyConnections(limit: Int)
    case buffersFull(limitBytes: Int)
    case noMemory(byteCount: Int)
    case noDescriptors
    case storeFailed
    case loop
    case noUpstream(listener: String)
    case upstreamUnreachable(upstream: String)
    case upstreamTimedOut(upstream: String, waitedFor: String)
    case upstreamBroke(upstream: String)
    case allTargetsOpen(retryAfterSeconds: Int)
    case contextExceeded(tokens: Int, budget: Int)
    case notVouched(upstream: String)
    case hopFailed(hop: String)
    case hostNotServed
    case proxyCredentials

    var status: Int {
        switch self {
        case .badRequest, .contextExceeded: 400
        case .notVouched: 401
        case .hostNotServed: 403
        case .proxyCredentials: 407
        case .requestTimedOut: 408
        case .bodyTooLarge: 413
        case .allTargetsOpen: 429
        case .headTooLarge: 431
        case .unknownTransferCoding: 501
        case .upstreamUnreachable, .upstreamBroke, .noUpstream, .hopFailed: 502
        case .tooManyConnections, .buffersFull, .noMemory, .noDescriptors, .storeFailed: 503
        case .upstreamTimedOut: 504
        case .loop: 508
        }
    }

    /// The value of the `error` field in the log, from a closed set: it never carries sizes, names or messages.
    var label: String {
        switch self {
        case .badRequest: "bad_request"
        case .requestTimedOut: "request_timeout"
        case .bodyTooLarge: "body_too_large"
        case .headTooLarge: "head_too_large"
        case .unknownTransferCoding: "unknown_transfer_coding"
        case .tooManyConnections: "too_many_connections"
        case .buffersFull: "buffers_full"
        case .noMemory: "no_memory"
        case .noDescriptors: "no_descriptors"
        case .storeFailed: "store_failed"
        case .loop: "loop"
        case .noUpstream: "no_upstream"
        case .upstreamUnreachable: "upstream_unreachable"
        case .upstreamTimedOut: "upstream_timeout"
        case .upstreamBroke: "upstream_broke"
        case .allTargetsOpen: "all_targets_open"
        case .contextExceeded: "context_length_exceeded"
        case .notVouched: "not_vouched"
        case .hopFailed: "hop_failed"
        case .hostNotServed: "host_not_served"
        case .proxyCredentials: "proxy_credentials"
        }
    }

    /// What the client reads: what is wrong and what to change.
    var message: String {
        switch self {
        case .badRequest(let detail): "the request is not valid HTTP: \(detail)"
        case .requestTimedOut:
            "the request did not arrive in time; send the head within 10 s and keep the body moving"
        case .bodyTooLarge(let limit):
            "the body is over \(limit) bytes; send less, or raise limits.maxBodyBytes"
        case .headTooLarge(let limit):
            "the header section is over \(limit) bytes; send less, or raise limits.maxHeaderBytes"
        case .unknownTransferCoding: "the only transfer coding that is understood is chunked"
        case .tooManyConnections(let limit): "all \(limit) connections are in use; see limits.maxConnections"
        case .buffersFull(let limit):
            "\(limit) bytes are buffered already; try again, or raise limits.maxBufferedBytes"
        case .noMemory(let byteCount):
            "the system has no memory for a body of \(byteCount) bytes; try again, or give the sidecar more memory"
        case .noDescriptors:
            "the system gives the sidecar no more connections; raise its limit of open files (ulimit -n, LimitNOFILE=)"
        case .storeFailed:
            "the image store cannot be reached or is full; see media.store, or let media.onStoreFailure be inline"
        case .loop: "the request has passed this sidecar before; an upstream's url points back at it"
        case .noUpstream(let listener):
            "the \(listener) listener has no upstream; see listen.\(listener).upstream"
        case .upstreamUnreachable(let upstream):
            "upstream \(upstream) cannot be reached; check upstreams.\(upstream).url and that it listens"
        case .upstreamTimedOut(let upstream, let what):
            "upstream \(upstream) sent no \(what) in time; see timeouts"
        case .upstreamBroke(let upstream): "upstream \(upstream) broke off before the answer was complete"
        case .allTargetsOpen(let seconds):
            "every model of the chain asked for a pause; try again in \(seconds) s"
        case .contextExceeded(let tokens, let budget):
            "the newest turn with system messages and tools has \(tokens) tokens, the budget is \(budget); shorten it, or raise clip.maxContextTokens"
        case .notVouched(let upstream):
            "upstream \(upstream) is called with a key of the house, and nobody vouches for yours; send a key that LiteLLM accepts for this model, or list it in clientKeys"
        case .hopFailed(let hop):
            "no link of the hop \(hop) leads to the host; see what sidecar egress \(hop) says"
        case .hostNotServed:
            "the egress listener serves /to/HOST/…, CONNECT and SOCKS5, for the hosts of egress.forward only; list the host and its port there"
        case .proxyCredentials:
            "the proxy asks for a user and a password; send those of listen.egress.credentials"
        }
    }

    /// OpenAI's and Anthropic's name for the kind of error.
    var type: String {
        switch self {
        case .badRequest, .bodyTooLarge, .headTooLarge, .unknownTransferCoding, .loop, .contextExceeded,
            .requestTimedOut:
            "invalid_request_error"
        case .notVouched, .proxyCredentials: "authentication_error"
        case .hostNotServed: "permission_error"
        case .allTargetsOpen: "rate_limit_error"
        case .tooManyConnections, .buffersFull, .noMemory, .noDescriptors, .storeFailed: "overloaded_error"
        case .upstreamUnreachable, .upstreamBroke, .noUpstream, .upstreamTimedOut, .hopFailed: "api_error"
        }
    }

    /// Whether the client's connection is in a known state, so that another request may follow.
    var leavesConnectionUsable: Bool {
        switch self {
        case .badRequest, .requestTimedOut, .headTooLarge, .bodyTooLarge, .unknownTransferCoding,
            .tooManyConnections, .buffersFull, .noMemory, .loop, .hostNotServed, .proxyCredentials:
            false
        case .noUpstream, .upstreamUnreachable, .upstreamTimedOut, .upstreamBroke, .allTargetsOpen,
            .contextExceeded, .notVouched, .noDescriptors, .storeFailed, .hopFailed:
            true
        }
    }

    /// Seconds for a `Retry-After` header.
    var retryAfterSeconds: Int? {
        guard case .allTargetsOpen(let seconds) = self else { return nil }
        return seconds
    }
}
