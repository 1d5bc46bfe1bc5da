internal import ArgumentParser
internal import CSidecar
internal import Dispatch
internal import Glibc

/// Runs until it is told to stop.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve until SIGTERM or SIGINT.")

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let loaded = try options.load()
        ProcessSettings.apply()
        // Watched before anything listens: a stop that comes during the start is not lost.
        let stop = StopSignal()
        do {
            let assembly = try Assembly(loaded, extraCA: ProcessEnvironment.variables["SIDECAR_EXTRA_CA"])
            try assembly.listen()
            stop.wait()
            assembly.drain()
        } catch {
            StandardError.print(
                "sidecar: cannot serve: \(error); check listen.*.address and SIDECAR_EXTRA_CA"
            )
            throw Exit.cannotServe
        }
    }
}

/// Waits for the signals that end the process.
private final class StopSignal {
    private let semaphore = DispatchSemaphore(value: 0)
    private var sources: [any DispatchSourceSignal] = []

    init() {
        for number in [SIGTERM, SIGINT] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [semaphore] in semaphore.signal() }
            source.resume()
            sources.append(source)
        }
    }

    func wait() {
        semaphore.wait()
    }
}

/// What the process asks of the system.
enum ProcessSettings {
    /// Applied once, before the first connection.
    static func apply() {
        signal(SIGPIPE, SIG_IGN)
        // Reload by signal is not there yet; its default action would end the process.
        signal(SIGHUP, SIG_IGN)
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
