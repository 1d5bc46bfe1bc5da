internal import Glibc

/// Wall-clock time for logs.
enum Clock {
    /// Now in UTC, as RFC 3339 with milliseconds.
    static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return timestamp(seconds: now.tv_sec, milliseconds: now.tv_nsec / 1_000_000)
    }

    /// Seconds since the epoch.
    static func epochSeconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// Days to a date after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    static func timestamp(seconds: Int, milliseconds: Int) -> String {
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let clock = seconds % 86_400
        return String(unsafeUninitializedCapacity: 24) { text in
            text.put(year, digits: 4, at: 0, then: "-")
            text.put(month, digits: 2, at: 5, then: "-")
            text.put(day, digits: 2, at: 8, then: "T")
            text.put(clock / 3600, digits: 2, at: 11, then: ":")
            text.put(clock / 60 % 60, digits: 2, at: 14, then: ":")
            text.put(clock % 60, digits: 2, at: 17, then: ".")
            text.put(milliseconds, digits: 3, at: 20, then: "Z")
            return 24
        }
    }
}

extension UnsafeMutableBufferPointer<UInt8> {
    /// Writes a number with leading zeros, and one character behind it.
    fileprivate func put(_ number: Int, digits: Int, at offset: Int, then mark: Unicode.Scalar) {
        var rest = number
        for place in stride(from: offset + digits - 1, through: offset, by: -1) {
            self[place] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
            rest /= 10
        }
        self[offset + digits] = UInt8(truncatingIfNeeded: mark.value)
    }
}
