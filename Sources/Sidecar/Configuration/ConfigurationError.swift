/// Everything that is wrong with a configuration, not only the first thing.
struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One thing that is wrong, where it is, and what to write instead.
    struct Problem: Equatable, Sendable, CustomStringConvertible {
        enum Place: Equatable, Sendable {
            case value(JSONPointer)
            /// The path of the file itself, with a line where one is known.
            case file(String)
        }

        var place: Place
        /// What is wrong, then what to write instead; never the value of a secret.
        var text: String

        init(_ path: String, _ text: String) {
            place = .file(path)
            self.text = text
        }

        init(_ pointer: JSONPointer, _ text: String) {
            place = .value(pointer)
            self.text = text
        }

        /// One line, whatever the file's keys hold.
        var description: String {
            "\(place): \(text)".onOneLine
        }
    }

    /// Never empty.
    let problems: [Problem]

    init(_ first: Problem) {
        problems = [first]
    }

    /// Nil when there is nothing wrong.
    init?(_ problems: [Problem]) {
        guard !problems.isEmpty else { return nil }
        self.problems = problems
    }

    /// One problem a line.
    var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

extension ConfigurationError.Problem.Place: CustomStringConvertible {
    /// `/` stands for the whole document, whose pointer is empty.
    var description: String {
        switch self {
        case .value(let pointer): pointer.keys.isEmpty ? "/" : pointer.description
        case .file(let path): path
        }
    }
}

extension String {
    /// The text with control characters and line breaks spelled out, so that it cannot break a line in two.
    var onOneLine: String {
        unicodeScalars.reduce(into: "") { line, scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: line += scalar.escaped(asASCII: true)
            default: line.unicodeScalars.append(scalar)
            }
        }
    }
}
