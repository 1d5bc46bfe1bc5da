internal import ArgumentParser
internal import CSidecar
internal import Dispatch
internal import Glibc
internal import NIOCore

/// Runs until it is told to stop.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve until SIGTERM or SIGINT.")

    @OptionGroup var options: ConfigurationOptions

    @Option(
        help: """
            A Unix socket in a private folder: take over from the process that waits there, then wait there; \
            $SIDECAR_TAKEOVER.
            """
    )
    var takeover: String?

    @Option(help: "How long requests in flight have to end, in seconds.")
    var drainSeconds = 30

    func validate() throws {
        if !(0...86_400).contains(drainSeconds) {
            throw ValidationError("--drain-seconds is outside 0...86400.")
        }
    }

    func run() throws {
        let loaded = try options.load()
        ProcessSettings.apply()
        // Watched before anything listens: a stop that comes during the start is not lost.
        let stop = DispatchSemaphore(value: 0)
        let stopping = SignalWatch([SIGTERM, SIGINT]) { stop.signal() }
        defer { stopping.cancel() }
        do {
            let variables = ProcessEnvironment.variables
            let envFile = options.envFile
            let succession = try Succession(at: takeover ?? variables["SIDECAR_TAKEOVER"])
            let assembly = try Assembly(loaded, environment: variables) { path throws(ConfigurationError) in
                try Configuration.load(path: path, environment: variables, envFile: envFile)
            }
            let reloader = assembly.reloader
            let hangup = SignalWatch([SIGHUP]) { reloader.reload() }
            defer { hangup.cancel() }
            let isHandedOver = Switch()
            try succession.open(assembly) {
                isHandedOver.set()
                stop.signal()
            }
            stop.wait()
            succession.end()
            assembly.drain(isHandedOver: isHandedOver.value, limit: .seconds(Int64(drainSeconds)))
        } catch let error as TakeoverError {
            StandardError.print("sidecar: cannot take over: \(error); check --takeover and SIDECAR_TAKEOVER")
            throw Exit.cannotServe
        } catch {
            StandardError.print(
                "sidecar: cannot serve: \(error); check listen.*.address and SIDECAR_EXTRA_CA"
            )
            throw Exit.cannotServe
        }
    }
}

/// Calls back when one of some signals arrives, in place of what the system would do.
private struct SignalWatch {
    private let sources: [any DispatchSourceSignal]

    init(_ signals: [CInt], _ arrived: @escaping @Sendable () -> Void) {
        sources = signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler(handler: arrived)
            source.resume()
            return source
        }
    }

    func cancel() {
        for source in sources { source.cancel() }
    }
}

/// What the process asks of the system.
enum ProcessSettings {
    /// Applied once, before the first connection.
    static func apply() {
        signal(SIGPIPE, SIG_IGN)
        raiseDescriptorLimit()
        sidecar_tune_allocator(CInt(Processors.usable))
    }

    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
    }
}
