internal import Egress
internal import NIOCore

/// Opens a connection by one rung, up to the point where it is known to work, or as near as can be.
struct RoadOpening {
    let road: Road
    let goal: Climb.Goal
    let loop: LoopContext
    let settings: EgressSettings
    let configure: Climb.Configure

    init(
        _ road: Road,
        to goal: Climb.Goal,
        loop: LoopContext,
        settings: EgressSettings,
        configure: @escaping Climb.Configure
    ) {
        self.road = road
        self.goal = goal
        self.loop = loop
        self.settings = settings
        self.configure = configure
    }

    /// Fails with a ``RoadFault``.
    func start() -> EventLoopFuture<any Channel> {
        let limits = RoadLimits(
            connectSeconds: settings.connect.inSeconds,
            allowsPrivate: goal.allowsPrivate,
            allowsHalfClosure: goal.keepsHalfOpen,
            receiveAllocator: Buffers.ofTunnels.allocator,
            messagesPerRead: Buffers.ofTunnels.messages
        )
        let greeted = loop.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound((self, greeted), eventLoop: loop.eventLoop)
        return loop.shared.connector
            .connect(to: goal.destination, by: road.rung, on: loop.eventLoop, limits: limits) { channel in
                let (opening, greeted) = bound.value
                return channel.eventLoop.makeCompletedFuture { try opening.equip(channel, greeted) }
            }
            .flatMap { channel in
                let (opening, greeted) = bound.value
                return opening.whenGreeted(channel, greeted)
            }
            .flatMapErrorThrowing { error in
                let (_, greeted) = bound.value
                // A promise must not be dropped; the handshake's own end comes first where there was one.
                greeted.fail(error)
                throw error
            }
    }

    private func equip(_ channel: any Channel, _ greeted: EventLoopPromise<Void>) throws {
        let meter = RoadMeter(road, loop: loop)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(meter)
        if goal.isTLS {
            // Added first, so that nothing of the handshake can pass it.
            try pipeline.addHandler(OriginHandshake(behind: meter, finished: greeted))
            let tls = try loop.shared.tls.handler(for: goal.destination.host)
            try pipeline.addHandler(tls, position: .after(meter))
        } else {
            try configure(channel, road)
            greeted.succeed()
        }
    }

    private func whenGreeted(
        _ channel: any Channel,
        _ greeted: EventLoopPromise<Void>
    ) -> EventLoopFuture<any Channel> {
        road.wasOpened()
        let bound = NIOLoopBound((self, greeted), eventLoop: loop.eventLoop)
        let timer = loop.eventLoop.scheduleTask(in: TimeAmount(settings.firstByte)) {
            bound.value.1.fail(RoadFault.timedOut)
        }
        return greeted.futureResult.flatMapThrowing {
            timer.cancel()
            let (opening, _) = bound.value
            if opening.goal.isTLS {
                opening.road.worked()
                try opening.configure(channel, opening.road)
            }
            return channel
        }.flatMapErrorThrowing { error in
            timer.cancel()
            channel.close(promise: nil)
            throw RoadFault(error)
        }
    }
}

extension Duration {
    var inSeconds: Double { Double(TimeAmount(self).nanoseconds) / 1e9 }
}
