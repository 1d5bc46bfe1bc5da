internal import ArgumentParser
internal import Telemetry

/// Prints what the repository keeps of the program's own lists: schema, shipped configuration, README's tables.
struct Generate: ParsableCommand {
    enum Document: String, ExpressibleByArgument, CaseIterable {
        case schema, defaults, table, metrics
    }

    static let configuration = CommandConfiguration(
        abstract: "Print a document that is made from the configuration's rows or the list of metrics.",
        shouldDisplay: false
    )

    @Argument(help: "schema, defaults, table or metrics.")
    var document: Document

    func run() {
        switch document {
        case .schema: print(SchemaDocument.text, terminator: "")
        case .defaults: print(shippedConfiguration, terminator: "")
        case .table: print(ReferenceTable.text, terminator: "")
        case .metrics: print(MetricsTable.text, terminator: "")
        }
    }
}
