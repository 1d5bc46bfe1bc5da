internal import ArgumentParser
internal import FoundationEssentials
internal import NIOCore
internal import Policies
internal import Wire

/// Prints what would be done with a request body, and sends nothing.
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read a request body on standard input and print the plan as JSON."
    )

    @OptionGroup var options: ConfigurationOptions

    @Option(name: .customLong("header"), help: "A request header, as 'Name: value'; may be given again.")
    var headers: [String] = []

    @Option(help: "The listener that the request would come to.")
    var listener = "gateway"

    @Option(help: "The request's path.")
    var path = "/v1/chat/completions"

    func run() throws {
        let configuration = try options.load().configuration
        guard let name = ProxyListener.Name(rawValue: listener) else {
            StandardError.print("sidecar: no listener \(listener) is known; there are gateway and dify")
            throw Exit.unknownName
        }
        let body: [UInt8]
        do {
            body = try StandardInput.read(maxBytes: configuration.limits.maxBodyBytes)
        } catch {
            StandardError.print("sidecar: \(error.message)")
            throw Exit.unusableInput
        }
        let request = ExplainedRequest(
            path: path,
            headerLines: headers,
            body: ByteBuffer(bytes: body),
            listener: name
        )
        do {
            let context = Decision.Context(
                snapshot: Snapshot(configuration),
                memory: RouteMemory(),
                counts: CountMemory(),
                allowsForcedArm: ForcedArm.isAllowed(by: ProcessEnvironment.variables)
            )
            print(try Explanation(request, in: context).json)
        } catch {
            throw ValidationError(error.problem)
        }
    }
}
