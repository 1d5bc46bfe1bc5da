/// The part of a representation that a `Range` field asks for (RFC 9110, section 14.2).
public enum ByteRange: Equatable, Sendable {
    /// No part, or in a way that is to be passed over: another unit, several ranges, no number.
    case whole
    case part(Range<Int>)
    /// Beyond the end.
    case unsatisfiable

    /// Reads the value of a `Range` field.
    ///
    /// - Parameters:
    ///   - value: nil when there is no such field.
    ///   - count: bytes of the representation.
    /// - Complexity: O(1): a value that is longer than two numbers is passed over.
    public init(_ value: UnsafeRawBufferPointer?, of count: Int) {
        let unit: StaticString = "bytes="
        let start = UnsafeRawBufferPointer(start: unit.utf8Start, count: unit.utf8CodeUnitCount)
        guard let value, value.count <= 48, value.starts(with: start) else {
            self = .whole
            return
        }
        let bounds = value.dropFirst(start.count)
            .split(separator: Ascii.minus, omittingEmptySubsequences: false)
        guard bounds.count == 2, let from = Self.number(bounds[0]), let to = Self.number(bounds[1]) else {
            self = .whole
            return
        }
        self.init(from: from, to: to, of: count)
    }

    private init(from: Int?, to: Int?, of count: Int) {
        switch (from, to) {
        case (nil, nil): self = .whole
        case (nil, let suffix?):
            self = suffix == 0 || count == 0 ? .unsatisfiable : .part(max(0, count - suffix)..<count)
        case (let from?, let to):
            if let to, to < from {
                self = .whole
            } else {
                self = from < count ? .part(from..<min(count, (to ?? count - 1) + 1)) : .unsatisfiable
            }
        }
    }

    /// - Returns: nil when it is no number; nil within when it is left out.
    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int?? {
        if digits.isEmpty { return .some(nil) }
        guard digits.count <= 18 else { return nil }
        var number = 0
        for digit in digits {
            guard digit &- Ascii.zero <= 9 else { return nil }
            number = number * 10 + Int(digit - Ascii.zero)
        }
        return number
    }
}
