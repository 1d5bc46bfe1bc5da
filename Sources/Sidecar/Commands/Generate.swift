internal import ArgumentParser

/// Prints what the repository keeps of the configuration's rows: the schema, the shipped file, README's table.
struct Generate: ParsableCommand {
    enum Document: String, ExpressibleByArgument, CaseIterable {
        case schema, defaults, table
    }

    static let configuration = CommandConfiguration(
        abstract: "Print a document that is made from the configuration's rows.",
        shouldDisplay: false
    )

    @Argument(help: "schema, defaults or table.")
    var document: Document

    func run() {
        switch document {
        case .schema: print(SchemaDocument.text, terminator: "")
        case .defaults: print(shippedConfiguration, terminator: "")
        case .table: print(ReferenceTable.text, terminator: "")
        }
    }
}
