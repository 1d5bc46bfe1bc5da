internal import Egress
internal import FoundationEssentials
internal import NIOCore
internal import Wire

/// What a client of the forward proxy asks for, and whether it gets it.
extension ForwardHandler {
    func readSOCKS(_ state: SOCKSServerState) {
        var state = state
        var bytes = ArraySlice(input.readableBytesView)
        while case .socks = phase {
            let action = state.received(&bytes)
            input.moveReaderIndex(to: input.writerIndex - bytes.count)
            phase = .socks(state)
            switch action {
            case .wait: return
            case .reply(let reply): say(reply)
            case .connect(let host, let port): asked(for: host, port: port)
            case .refuse(let reply, let reason):
                record.error = reason.rawValue
                say(reply)
                linger()
            }
        }
    }

    func readConnect(_ finder: HeadFinder) {
        var finder = finder
        let limit = loop.snapshot.configuration.limits.maxHeaderBytes
        switch input.withUnsafeReadableBytes({ finder.advance(over: $0) }) {
        case .incomplete where input.readableBytes <= limit:
            phase = .connect(finder)
        case .complete(let end) where end <= limit:
            readConnect(input.readSlice(length: end) ?? ByteBuffer())
        case .incomplete, .complete:
            refuse(.headTooLarge(limitBytes: limit))
        case .bareLineFeed:
            refuse(.badRequest("a line feed without a carriage return"))
        }
    }

    private func readConnect(_ bytes: ByteBuffer) {
        do throws(HeadError) {
            let (authority, authorization) = try bytes.withUnsafeReadableBytes { raw throws(HeadError) in
                let head = try ConnectHead(reading: raw)
                return (
                    String(decoding: raw.slice(head.authority), as: UTF8.self),
                    head.value(of: "proxy-authorization", in: raw)
                )
            }
            guard mayUse(authorization) else { return refuse(.proxyCredentials) }
            guard let (host, port) = ForwardHost.authority(authority, defaultPort: nil) else {
                return refuse(.badRequest("CONNECT needs host:port"))
            }
            asked(for: host, port: port)
        } catch {
            switch error {
            case .syntax(let detail): refuse(.badRequest(detail.description))
            case .unknownTransferCoding: refuse(.unknownTransferCoding)
            }
        }
    }

    /// RFC 7617, section 2.
    private func mayUse(_ authorization: String?) -> Bool {
        guard let credentials else { return true }
        let scheme = "basic "
        guard let authorization, authorization.prefix(scheme.count).lowercased() == scheme else {
            return false
        }
        let expected = Data(credentials.utf8).base64EncodedString()
        return String(authorization.dropFirst(scheme.count)).isEqualInConstantTime(to: expected)
    }

    private func asked(for host: String, port: Int) {
        // A longer one is no host (RFC 1035, section 2.3.4).
        record.host = String(host.prefix(260))
        record.port = port
        guard let route = loop.snapshot.configuration.egress.route(to: host, port: port),
            let hop = loop.shared.hops[route.hop]
        else { return refuse(.hostNotServed) }
        record.hop = hop.name
        first.hold(input)
        record.bytesIn += input.readableBytes
        input = ByteBuffer()
        open(route, by: hop)
    }

    // MARK: - Answers

    /// Says that the connection is there.
    func announce() {
        guard !hasAnnounced else { return }
        hasAnnounced = true
        switch record.kind {
        case .socks5: say(SOCKSServerState.Reply.succeeded.bytes)
        case .connect, nil: say(Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8))
        }
    }

    /// No rung led to the host.
    func refuse(by fault: RoadFault) {
        if fault == .privateAddress { return refuse(.hostNotServed) }
        record.error = fault.label
        if hasAnnounced { return close() }
        if record.kind == .socks5 {
            say(fault.reply.bytes)
            linger()
        } else {
            answer(.hopFailed(hop: record.hop ?? ""))
        }
    }

    func refuse(_ error: SidecarError) {
        record.error = error.label
        if hasAnnounced { return close() }
        if record.kind == .socks5 {
            let reply: SOCKSServerState.Reply = error == .hostNotServed ? .notAllowed : .failed
            say(reply.bytes)
            linger()
        } else {
            answer(error)
        }
    }

    private func answer(_ error: SidecarError) {
        context?.write(
            wrapOutboundOut(ErrorAnswer(error, dialect: .other).response(keepsAlive: false)),
            promise: nil
        )
        linger()
    }

    private func say(_ bytes: [UInt8]) {
        context?.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }

    /// Ends the connection when the client has had time to read.
    ///
    /// Closing with unread input would make the system send a reset, which can destroy the answer.
    private func linger() {
        phase = .lingering
        deadline = loop.coarseNow + ClientHandler.Limit.linger
        endOutput()
        resumeReading()
    }
}

extension RoadFault {
    /// The nearest word of SOCKS5.
    fileprivate var reply: SOCKSServerState.Reply {
        switch self {
        case .privateAddress: .notAllowed
        case .unresolved, .destinationUnreachable, .unreachable, .timedOut: .hostUnreachable
        case .refused: .refused
        case .proxyTLS, .badReply, .authentication, .closed, .originTLS: .failed
        }
    }
}
