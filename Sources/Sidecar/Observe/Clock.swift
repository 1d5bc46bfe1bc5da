internal import Glibc
internal import Telemetry

/// The wall clock; for logs and for delays that are stated as an instant.
enum Clock {
    static func utc() -> UTCTime {
        let now = now()
        return UTCTime(seconds: now.tv_sec, millisecond: now.tv_nsec / 1_000_000)
    }

    /// Seconds since the epoch.
    static func epochSeconds() -> Double {
        let now = now()
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// Nanoseconds since the epoch.
    static func epochNanoseconds() -> Int64 {
        let now = now()
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }

    private static func now() -> timespec {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return now
    }
}
