/// An instant of the wall clock in whole seconds, as signatures carry it.
public struct SigningTime: Hashable, Comparable, Sendable {
    /// Since 1970-01-01 00:00 UTC; not negative, and before the year 10000.
    public let secondsSince1970: Int

    /// The instant this many seconds after 1970-01-01 00:00 UTC.
    ///
    /// - Precondition: not negative, and before the year 10000.
    public init(secondsSince1970: Int) {
        precondition((0..<253_402_300_800).contains(secondsSince1970), "the year has four digits")
        self.secondsSince1970 = secondsSince1970
    }

    /// The start of the window of this length that the instant lies in.
    ///
    /// Signing with it gives one text for one image during the whole window, so that providers' prompt caches
    /// hold. A URL that lives for a time then lives at least for that time less the window.
    ///
    /// - Parameter window: of whole seconds; of less than one, the instant stays as it is.
    public func floored(to window: Duration) -> SigningTime {
        let seconds = max(1, Int(window.components.seconds))
        return SigningTime(secondsSince1970: secondsSince1970 / seconds * seconds)
    }

    /// Whether the first instant is the earlier one.
    public static func < (a: Self, b: Self) -> Bool { a.secondsSince1970 < b.secondsSince1970 }

    /// The instant that is later by whole seconds.
    public static func + (a: Self, b: Duration) -> Self {
        Self(secondsSince1970: a.secondsSince1970 + Int(b.components.seconds))
    }

    /// `20130524`.
    var day: String {
        let date = date
        return Self.digits(date.year, 4) + Self.digits(date.month, 2) + Self.digits(date.day, 2)
    }

    /// `20130524T000000Z`.
    var timestamp: String {
        let second = secondsSince1970 % Self.daySeconds
        return day + "T" + Self.digits(second / 3600, 2) + Self.digits(second % 3600 / 60, 2)
            + Self.digits(second % 60, 2) + "Z"
    }

    func isSameDay(as other: SigningTime) -> Bool {
        secondsSince1970 / Self.daySeconds == other.secondsSince1970 / Self.daySeconds
    }

    /// After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (`civil_from_days`): years begin in
    /// March, so that the leap day is the last of its year.
    private var date: (year: Int, month: Int, day: Int) {
        let days = secondsSince1970 / Self.daySeconds + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * fromMarch + 2) / 5 + 1)
    }

    private static let daySeconds = 86_400

    private static func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: count - text.utf8.count) + text
    }
}
