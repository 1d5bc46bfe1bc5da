import Foundation
import Telemetry
import Testing

@Suite("An instant is taken apart as the calendar does it")
struct UTCTimeTests {
    /// Midnights and last seconds around leap days, centuries and year ends.
    private static let instants: [Int] = [
        0, 86_399, 951_782_400, 951_868_799, 951_868_800, 1_709_164_800, 1_735_689_599, 1_735_689_600,
        4_107_542_399, 4_107_542_400, 7_258_118_400, 253_402_300_799,
    ]

    @Test("at the edges", arguments: instants)
    func edges(seconds: Int) {
        expectSame(seconds)
    }

    @Test("through four hundred years, in steps of nineteen days and some")
    func sweep() {
        for seconds in stride(from: 0, to: 400 * 365 * 86_400, by: 1_700_003) { expectSame(seconds) }
    }

    private func expectSame(_ seconds: Int) {
        let time = UTCTime(seconds: seconds, millisecond: 1)
        let parts = Calendar.utc.dateComponents(
            [.year, .month, .day, .hour, .minute, .second],
            from: Date(timeIntervalSince1970: Double(seconds))
        )

        #expect(parts.year == time.year && parts.month == time.month && parts.day == time.day, "\(seconds)")
        #expect(parts.hour == time.hour && parts.minute == time.minute && parts.second == time.second)
        #expect(time.millisecond == 1)
    }
}

extension Calendar {
    fileprivate static let utc: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()
}
