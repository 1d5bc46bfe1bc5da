/// Everything that is wrong with a configuration, not only the first thing.
struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One thing that is wrong, where it is, and what to write instead.
    struct Problem: Equatable, Sendable, CustomStringConvertible {
        /// A JSON pointer into the file, or the path of the file itself.
        var place: String
        /// What is wrong, then what to write instead; never the value of a secret.
        var text: String

        init(_ place: String, _ text: String) {
            self.place = place
            self.text = text
        }

        /// `/` stands for the whole document, whose pointer is empty.
        init(_ place: JSONPointer, _ text: String) {
            self.init(place.description.isEmpty ? "/" : place.description, text)
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
