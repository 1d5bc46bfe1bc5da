import Policies

/// What a run has shown, and each promise that it saw broken.
struct Ledger {
    /// Why a request may reach a target whose breaker is not closed.
    enum Excuse: Hashable {
        case probe
        /// A chain of one.
        case nowhereElse
        /// The target itself said when to come back.
        case patience
    }

    /// What is known about a target from outside its breaker.
    private struct Account {
        /// Until when it was announced to be open; nil when it was said to be closed.
        var openUntil: Int?
        /// Requests that were let through as probes and are not over.
        var probes = 0
        var opened = 0
        var lastClosed: Int?
        /// When the last answer came that spoke against it, and the latest instant that one stated.
        var lastBad = 0
        var statedUntil = 0
    }

    private(set) var violations: [String] = []
    private(set) var excused: [Excuse: Int] = [:]
    private(set) var sent = 0
    private(set) var lateAnswers = 0
    /// Tool results that stayed with the fallback which had asked for them.
    private(set) var toolResultsKept = 0
    /// Conversations that went back to their primary.
    private(set) var returns = 0
    /// Turns that began with a primary while all targets were well.
    private(set) var turnsOfWellPrimaries = 0
    private(set) var peakInFlight = 0
    private var inFlight = 0
    private var accounts: [Target: Account] = [:]

    mutating func expect(_ holds: Bool, _ promise: @autoclosure () -> String) {
        if !holds { violations.append(promise()) }
    }

    mutating func began() {
        inFlight += 1
        peakInFlight = max(peakInFlight, inFlight)
    }

    mutating func ended() { inFlight -= 1 }

    mutating func keptToolResult() { toolResultsKept += 1 }

    mutating func sawReturn() { returns += 1 }

    mutating func sawTurnOfWellPrimary() { turnsOfWellPrimaries += 1 }

    mutating func wasAdmittedAsProbe(_ target: Target, at time: Int) {
        accounts[target, default: Account()].probes += 1
        let account = accounts[target, default: Account()]
        expect(account.probes == 1, "\(time): \(account.probes) probes for \(target.model)")
        expect(account.openUntil.map { $0 <= time } ?? false, "\(time): early probe for \(target.model)")
    }

    mutating func probeEnded(_ target: Target) { accounts[target]?.probes -= 1 }

    /// A byte goes to a target.
    mutating func sends(_ target: Target, _ excuse: Excuse?, at time: Int) {
        sent += 1
        guard accounts[target]?.openUntil != nil else { return }
        if let excuse {
            excused[excuse, default: 0] += 1
        } else {
            violations.append("\(time): a byte for \(target.model), which is open")
        }
    }

    /// A verdict was given to a breaker.
    ///
    /// - Parameter isLate: whether the breaker has changed since the request was sent.
    mutating func recorded(
        _ outcome: CircuitBreaker.Outcome,
        _ transition: CircuitBreaker.Transition?,
        isProbe: Bool,
        isLate: Bool,
        _ target: Target,
        at time: Int,
        since start: ContinuousClock.Instant
    ) {
        if isLate { lateAnswers += 1 }
        note(outcome, target, at: time)
        expect(
            isProbe || !(transition?.isOfProbe ?? false),
            "\(time): \(target.model) \(outcome) without a probe"
        )
        switch transition {
        case .opened(let until), .reopened(let until), .extended(let until):
            accounts[target, default: Account()].openUntil = Int((until - start) / .milliseconds(1))
            if transition?.isExtension == false { accounts[target]?.opened += 1 }
        case .closed:
            accounts[target]?.openUntil = nil
            accounts[target]?.lastClosed = time
        case nil:
            break
        }
    }

    private mutating func note(_ outcome: CircuitBreaker.Outcome, _ target: Target, at time: Int) {
        let stated: Duration?
        switch outcome {
        case .exhausted(let delay): stated = delay
        case .failed(.callerFault, _), .failed(.contextExceeded, _), .failed(.auth, _): return
        case .failed(_, let delay): stated = delay
        case .success, .withoutVerdict: return
        }
        var account = accounts[target, default: Account()]
        account.lastBad = time
        account.statedUntil = max(account.statedUntil, time + Int((stated ?? .zero) / .milliseconds(1)))
        accounts[target] = account
    }

    /// At the end, each target having been well for long.
    ///
    /// - Parameters:
    ///   - well: since when it is.
    ///   - probeTime: how long probes may take altogether, those included whose clients left.
    mutating func closesAccount(of target: Target, wellSince well: Int, probeTime: Int) {
        guard let account = accounts[target], account.opened > 0 else { return }
        expect(account.openUntil == nil, "\(target.model) is still open")
        expect(account.probes == 0, "\(target.model) has a probe out")
        let due = max(max(well, account.lastBad) + 30_000, account.statedUntil) + probeTime
        expect(
            account.lastClosed ?? .max <= due,
            "\(target.model) closed \(account.lastClosed ?? -1), due \(due)"
        )
    }

    /// Since when all breakers have been closed; nil while one is not.
    var allClosedSince: Int? {
        guard accounts.values.allSatisfy({ $0.openUntil == nil }) else { return nil }
        return accounts.values.reduce(0) { max($0, $1.lastClosed ?? 0) }
    }

    /// How often breakers opened.
    var opened: Int { accounts.values.reduce(0) { $0 + $1.opened } }
}

extension CircuitBreaker.Transition {
    /// Whether only a probe's answer may have this effect.
    fileprivate var isOfProbe: Bool {
        switch self {
        case .closed, .reopened: true
        case .opened, .extended: false
        }
    }

    fileprivate var isExtension: Bool {
        guard case .extended = self else { return false }
        return true
    }
}
