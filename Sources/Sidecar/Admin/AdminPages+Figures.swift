internal import Egress
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Policies
internal import Telemetry

/// The figures and the state of the process.
extension AdminPages {
    /// Adds up the figures of all loops.
    ///
    /// The text is made beside the event loops, whose streams would wait for it.
    func metrics(as format: MetricsFormat, on eventLoop: any EventLoop) -> EventLoopFuture<AdminPage> {
        let shards = loops.map { loop in loop.eventLoop.submit { loop.value.figures() } }
        return EventLoopFuture.whenAllSucceed(shards, on: eventLoop).flatMap { shards in
            NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { page(of: shards, as: format) }
        }.recover { _ in AdminPage(status: .serviceUnavailable, body: "stopping\n") }
    }

    private func page(of shards: [MetricsShard], as format: MetricsFormat) -> AdminPage {
        var total = MetricsShard()
        for shard in shards { total.merge(shard) }
        addGauges(to: &total)
        let text =
            switch format {
            case .text: total.exposition
            case .openMetrics: total.openMetrics(epoch: Clock.epochSeconds() - NIODeadline.now().seconds)
            }
        return AdminPage(contentType: format.contentType, body: text)
    }

    private func addGauges(to total: inout MetricsShard) {
        let now = ContinuousClock.now
        let snapshot = shared.snapshot
        // Models that nobody lists share the label `other`: it shows the worst of them.
        let states = Dictionary(
            shared.memory.breakers.states.map {
                (snapshot.label(of: $0.target), $0.breaker.status(at: now).gauge)
            },
            uniquingKeysWith: max
        )
        for (target, state) in states { total.set(.breakerState, Labels(target), to: state) }
        total.set(.configurationInfo, Labels(Label(snapshot.configuration.hash)), to: 1)
        let reloads = reloader.counts
        total.add(.reloads, Labels(.ok), Double(reloads.succeeded))
        total.add(.reloads, Labels(Label("failed")), Double(reloads.failed))
        total.set(.logLinesDropped, to: Double(shared.logWriter.droppedLines))
        total.set(.spansDropped, to: Double(shared.spans?.droppedCount ?? 0))
        ProcessFigures.add(to: &total)
    }

    /// What is open, in force and shut; put together beside the event loop, since there may be thousands of breakers.
    func status(on eventLoop: any EventLoop) -> EventLoopFuture<AdminPage> {
        let loads = loops.map { loop in loop.eventLoop.submit { loop.value.load } }
        return EventLoopFuture.whenAllSucceed(loads, on: eventLoop).flatMap { loads in
            NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { status(loads) }
        }.recover { _ in AdminPage(status: .serviceUnavailable, body: "stopping\n") }
    }

    private func status(_ loads: [LoopLoad]) -> AdminPage {
        let now = ContinuousClock.now
        let snapshot = shared.snapshot
        let configuration = snapshot.configuration
        let document = StatusDocument(
            version: BuildVersion.number,
            configuration: configuration.hash,
            time: Clock.epochSeconds().timestamp,
            started: started.timestamp,
            ready: isReady.value,
            draining: shared.isDraining.value,
            reloads: ShownReloads(reloader),
            listeners: configuration.listen.shown,
            upstreams: configuration.upstreams.values.map { ShownUpstream($0) }.sorted { $0.name < $1.name },
            routes: configuration.policies.routes.map { ShownRoute($0, snapshot) },
            store: snapshot.library.flatMap { ShownStore($0, configuration.media) },
            streams: loads.reduce(0) { $0 + $1.streams },
            upstreamConnections: loads.reduce(0) { $0 + $1.upstreamConnections },
            connections: shared.connections.value,
            bufferedBytes: shared.bufferedBytes.value,
            movedConversations: shared.memory.movedConversations,
            experiments: configuration.experiments.map { configured in
                .init(
                    name: configured.experiment.name,
                    by: configured.experiment.by.rawValue,
                    when: ShownCondition(configured.experiment.when),
                    arms: configured.experiment.arms.map { .init(name: $0.name, weight: $0.weight) }
                )
            },
            calibration: calibration(configuration.policies),
            hops: hops(at: now),
            breakers: shared.memory.breakers.states.map { target, breaker in
                let status = breaker.status(at: now)
                return .init(
                    target: target.name,
                    state: status.word,
                    remainingSeconds: status.remaining.map { Double($0.components.seconds) }
                )
            }
        )
        return .json(document)
    }

    private func hops(at now: ContinuousClock.Instant) -> [StatusDocument.Hop] {
        shared.hops.all.map { hop in
            let (entries, preferred) = hop.state
            return .init(
                name: hop.name,
                rungs: entries.map { entry in
                    let status = entry.breaker.status(at: now)
                    return .init(
                        rung: entry.rung.label,
                        state: status.word,
                        remainingSeconds: status.remaining.map { Double($0.components.seconds) },
                        inUse: entry.rung == preferred,
                        lastFault: entry.isBlocked
                            ? FailureClass.regionBlocked.rawValue : entry.lastFault?.label
                    )
                }
            )
        }
    }

    private func calibration(_ settings: PolicySettings) -> [StatusDocument.Calibration] {
        shared.memory.calibration.errors.compactMap { subject, error in
            // What belongs to an earlier configuration is kept, in case it comes back.
            guard let rule = settings.rule(for: subject.model),
                rule.calibrationSubject(for: subject.model) == subject
            else { return nil }
            return .init(
                model: subject.model,
                encoding: subject.counting.encoding,
                answers: error.answers,
                medianRatio: error.median,
                tokenScale: subject.tokenScale,
                factor: error.factor,
                inForce: rule.calibrates
            )
        }.sorted { $0.model < $1.model }
    }
}

/// The answer to `GET /status`.
private struct StatusDocument: Encodable {
    struct Breaker: Encodable {
        let target: String
        let state: String
        let remainingSeconds: Double?
    }

    struct Hop: Encodable {
        let name: String
        /// In the order of the configuration.
        let rungs: [Rung]
    }

    struct Rung: Encodable {
        let rung: String
        let state: String
        let remainingSeconds: Double?
        /// Whether the next connection takes it first.
        let inUse: Bool
        /// Nil while it works, or was not used.
        let lastFault: String?
    }

    struct Calibration: Encodable {
        let model: String
        let encoding: String
        /// Answers that are remembered.
        let answers: Int
        /// Reported tokens for each that was expected, to the next twentieth.
        let medianRatio: Double?
        let tokenScale: Double
        /// What `tokenScale` is to be multiplied with.
        let factor: Double
        /// Whether it is.
        let inForce: Bool
    }

    struct Experiment: Encodable {
        let name: String
        let by: String
        let when: ShownCondition
        let arms: [Arm]
    }

    struct Arm: Encodable {
        let name: String
        let weight: Int
    }

    let version: String
    let configuration: String
    /// Now, by the sidecar's clock.
    let time: String
    let started: String
    let ready: Bool
    let draining: Bool
    let reloads: ShownReloads
    let listeners: [ShownListener]
    let upstreams: [ShownUpstream]
    let routes: [ShownRoute]
    /// Nil where images stay where they are.
    let store: ShownStore?
    let streams: Int
    let upstreamConnections: Int
    let connections: Int
    let bufferedBytes: Int
    let movedConversations: Int
    let experiments: [Experiment]
    let calibration: [Calibration]
    let hops: [Hop]
    let breakers: [Breaker]
}
