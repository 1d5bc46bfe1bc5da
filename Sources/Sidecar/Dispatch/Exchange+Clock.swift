internal import NIOCore
internal import Policies

/// The time limits of a request.
extension Exchange {
    /// Starts the limits of an attempt.
    ///
    /// Requests that no route matched have an idle limit only.
    func startClock() {
        let limit = isTimed ? timeouts.firstByte : Self.idleLimit
        deadline = attemptDeadline(after: limit, now: loop.coarseNow)
        wasTouched = false
    }

    /// Stops the limits between attempts.
    ///
    /// Connecting has a limit of its own; beyond it only the time for the whole request runs on.
    func stopClock() {
        record.figures.relay.end()
        deadline =
            isTimed ? end : .distantFuture
        wasTouched = false
    }

    /// Time goes on.
    ///
    /// That bytes came is only noted when they do, so that an answer of many pieces asks for the time once a tick.
    func tick(now: NIODeadline) {
        guard !isOver else { return }
        if let room, !room.isGranted { return tickWaitingForRoom(room, now: now) }
        if wasTouched {
            wasTouched = false
            restartClock(now: now)
        }
        guard now >= deadline else { return }
        deadline = .distantFuture
        timedOut()
    }

    /// Room is waited for as long as others leave and make some.
    private func tickWaitingForRoom(_ room: BodyRoom.Claim, now: NIODeadline) {
        let since = max(room.since, loop.shared.bodyRoom.latestGrant)
        guard now - since > ClientHandler.Limit.fullBuffers else { return }
        refuse(.buffersFull(limitBytes: variant.configuration.limits.maxBufferedBytes))
    }

    private func restartClock(now: NIODeadline) {
        deadline = attemptDeadline(
            after: isTimed ? timeouts.idle : Self.idleLimit,
            now: now
        )
        if isTimed, answer?.waitsForFirstToken == true, let sent = attempt?.sent {
            deadline = min(deadline, sent + TimeAmount(timeouts.firstToken))
        }
    }

    private var isTimed: Bool { plan?.route != nil }

    /// Whether the time for the whole request has passed.
    var isOutOfTime: Bool {
        isTimed && NIODeadline.now() >= end
    }

    /// When the time for the whole request has passed.
    private var end: NIODeadline { record.started + TimeAmount(timeouts.total) }

    var timeouts: Timeouts { variant.configuration.timeouts }

    private static var idleLimit: Duration { .seconds(3600) }

    private func attemptDeadline(after limit: Duration, now: NIODeadline) -> NIODeadline {
        let deadline = now + TimeAmount(limit)
        return isTimed ? min(deadline, end) : deadline
    }
}
