/// What a key may hold.
indirect enum ValueType: Sendable {
    enum Unit: String, Sendable {
        case none = ""
        case seconds
        case bytes
        case tokens
        case dollars = "US dollars for a million tokens"
    }

    /// Its keys are rows of their own.
    case object
    /// An object with changes to the file, which are checked with the file that they make (RFC 7396).
    case patch
    /// Free names, each with the same type of value.
    case map(names: TextForm, of: ValueType)
    case list(of: ValueType, atLeast: Int = 0)
    case text(TextForm)
    /// One word of a closed set.
    case choice([String])
    case integer(ClosedRange<Int>, Unit = .none)
    case number(ClosedRange<Double>, Unit = .none)
    case flag

    /// What is wrong with a value on its own, or nil; objects, maps and lists are looked into elsewhere.
    ///
    /// - Parameter shown: how to name the value; never the value of a secret.
    func problem(with value: JSONValue, shown: String) -> String? {
        switch (self, value) {
        case (.object, .object), (.patch, .object), (.map, .object), (.list, .list), (.flag, .flag):
            nil
        case (.text(let form), .text(let text)):
            form.problem(with: text)
        case (.choice(let known), .text(let text)):
            known.contains(text) ? nil : "\(shown) is not known; write \(Self.oneOf(known))"
        case (.integer(let range, _), .number(let number)) where number.rounded() == number:
            Double(range.lowerBound)...Double(range.upperBound) ~= number
                ? nil : "\(shown) is outside \(range.lowerBound)...\(range.upperBound)"
        case (.number(let range, _), .number(let number)):
            range ~= number
                ? nil : "\(shown) is outside \(range.lowerBound.short)...\(range.upperBound.short)"
        default:
            "\(shown) is not \(noun); write \(advice)"
        }
    }

    private static func oneOf(_ words: [String]) -> String {
        (words.count > 1 ? "one of " : "") + words.joined(separator: ", ")
    }

    private var noun: String {
        switch self {
        case .object, .patch, .map: "an object"
        case .list: "a list"
        case .text, .choice: "a string"
        case .integer: "an integer"
        case .number: "a number"
        case .flag: "a switch"
        }
    }

    private var advice: String {
        switch self {
        case .object, .patch, .map: "{ … }"
        case .list: "[ … ]"
        case .text: "it in double quotes"
        case .choice(let known): Self.oneOf(known)
        case .integer(let range, _): "one from \(range.lowerBound) to \(range.upperBound)"
        case .number(let range, _): "one from \(range.lowerBound.short) to \(range.upperBound.short)"
        case .flag: "true or false"
        }
    }
}

extension Double {
    /// As people write it: without `.0` at the end.
    var short: String {
        Int(exactly: self).map(String.init) ?? description
    }
}
