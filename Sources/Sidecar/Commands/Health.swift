internal import ArgumentParser
internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1

/// Asks a running sidecar how it is: for health checks where there is no other program.
struct Health: ParsableCommand {
    /// Less than the 3 s that a container's check usually has.
    private static let limit = TimeAmount.seconds(2)

    static let configuration = CommandConfiguration(
        abstract: "Ask the running sidecar whether it serves; status 69 when it does not."
    )

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        guard let address = try options.load().configuration.listen.admin?.address.fromHere else {
            StandardError.print(
                "sidecar: no admin listener is configured that could be asked; name listen.admin"
            )
            throw Exit.badConfiguration
        }
        let client = HTTPClient(eventLoopGroupProvider: .singleton)
        defer { try? client.syncShutdown() }
        let answer = client.get(url: "http://\(address)/health/ready", deadline: .now() + Self.limit)
        guard let status = try? answer.wait().status else {
            StandardError.print(
                "sidecar: nobody answers at \(address); is it running, with this configuration?"
            )
            throw Exit.unavailable
        }
        guard status == .ok else {
            StandardError.print("sidecar: not ready, status \(status.code): it is starting or draining")
            throw Exit.unavailable
        }
        print("ready")
    }
}
