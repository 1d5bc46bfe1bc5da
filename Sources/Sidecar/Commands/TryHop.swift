internal import ArgumentParser
internal import Egress
internal import NIOCore
internal import NIOPosix

/// Fetches a URL by a hop and prints each step.
struct TryHop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "egress",
        abstract: "Fetch a URL by a hop and print each step with its time."
    )

    @Argument(help: "The name of the hop, one of egress.hops.")
    var hop: String

    @Option(help: "What to fetch; an upstream or host that goes by the hop unless given.")
    var url: String?

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let configuration = try options.load().configuration
        guard let rungs = configuration.egress.hops[hop] else {
            let known = configuration.egress.hops.keys.sorted().joined(separator: ", ")
            StandardError.print(
                "sidecar: no hop \(hop) is configured; "
                    + (known.isEmpty ? "list one under egress.hops" : "there are \(known)")
            )
            throw Exit.unknownName
        }
        let trial = HopTrial(
            try goal(in: configuration),
            configuration.egress,
            tls: try UpstreamTLS(extraCA: ProcessEnvironment.variables["SIDECAR_EXTRA_CA"])
        )
        // Not shut down: that would wait for proxies which take their time to say goodbye.
        let group = MultiThreadedEventLoopGroup.singleton
        for rung in rungs {
            print("rung \(rung.label)")
            if trial.run(rung, on: group.next(), step: { print("  \($0)") }) { return }
        }
        StandardError.print("sidecar: no link of the hop \(hop) leads to the host; see the steps above")
        throw Exit.unavailable
    }

    private func goal(in configuration: Configuration) throws -> HopTrial.Goal {
        if let url {
            let path = url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" }
            let origin = String(url.dropLast(path.count))
            guard let address = try? UpstreamURL(origin) else {
                StandardError.print(
                    "sidecar: --url is no http or https URL; write one such as https://example.com/"
                )
                throw Exit.unknownName
            }
            return HopTrial.Goal(url: address, target: path.isEmpty ? "/" : String(path))
        }
        if let goal = configuration.probeGoal(of: hop) {
            let destination = goal.destination
            let address = UpstreamURL(isTLS: goal.isTLS, host: destination.host, port: destination.port)
            return HopTrial.Goal(url: address, target: "/")
        }
        StandardError.print("sidecar: nothing goes by the hop that could be fetched; name it with --url")
        throw Exit.unknownName
    }
}
