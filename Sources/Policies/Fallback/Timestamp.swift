/// Instants as HTTP and JSON write them, in seconds since 1970-01-01 00:00 UTC.
enum Timestamp {
    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
    ///
    /// The two obsolete forms are not read: no provider sends them.
    static func httpDate(_ text: String) -> Double? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT",
            let month = months.firstIndex(of: String(words[2])),
            let day = number(words[1]), let year = number(words[3]), let seconds = timeOfDay(words[4])
        else { return nil }
        return date(year: year, month: month + 1, day: day).map { $0 + seconds }
    }

    /// `2026-01-01T00:00:11Z`, with a fraction or an offset (RFC 3339, section 5.6).
    static func rfc3339(_ text: String) -> Double? {
        guard let separator = text.firstIndex(where: { "Tt ".contains($0) }) else { return nil }
        let days = text[..<separator].split(separator: "-", omittingEmptySubsequences: false)
        let time = text[text.index(after: separator)...]
        guard days.count == 3, let year = number(days[0]), let month = number(days[1]),
            let day = number(days[2]),
            let zone = time.firstIndex(where: { "Zz+-".contains($0) }),
            let seconds = timeOfDay(time[..<zone]), let offset = offset(time[zone...]),
            let midnight = date(year: year, month: month, day: day)
        else { return nil }
        return midnight + seconds - offset
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func timeOfDay(_ text: Substring) -> Double? {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 3, let hours = number(fields[0]), let minutes = number(fields[1]),
            let first = fields[2].utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first),
            let seconds = Double(fields[2]), hours < 24, minutes < 60, seconds < 61
        else { return nil }
        return Double(hours * 3600 + minutes * 60) + seconds
    }

    private static func offset(_ text: Substring) -> Double? {
        if text == "Z" || text == "z" { return 0 }
        let fields = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 2, let hours = number(fields[0]), let minutes = number(fields[1]), hours < 24,
            minutes < 60
        else { return nil }
        let seconds = Double(hours * 3600 + minutes * 60)
        return text.first == "-" ? -seconds : seconds
    }

    /// Two or four digits.
    private static func number(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }

    /// Midnight of a day of the Gregorian calendar.
    ///
    /// After Howard Hinnant, "chrono-compatible low-level date algorithms" (`days_from_civil`): years begin
    /// in March, so that the leap day is the last one.
    private static func date(year: Int, month: Int, day: Int) -> Double? {
        guard year >= 1970, (1...12).contains(month), (1...31).contains(day) else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Double((era * 146_097 + dayOfEra - 719_468) * 86_400)
    }
}
