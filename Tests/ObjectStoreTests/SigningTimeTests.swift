import Foundation
import TestSupport
import Testing

@testable import ObjectStore

@Suite("An instant is written as signatures carry it")
struct SigningTimeTests {
    @Test(
        "in UTC, by the Gregorian calendar",
        arguments: [
            (0, "19700101T000000Z"), (951_782_399, "20000228T235959Z"), (951_782_400, "20000229T000000Z"),
            (1_369_353_600, "20130524T000000Z"), (4_107_542_399, "21000228T235959Z"),
            (4_107_542_400, "21000301T000000Z"), (253_402_300_799, "99991231T235959Z"),
        ]
    )
    func timestamp(seconds: Int, text: String) {
        let time = SigningTime(secondsSince1970: seconds)

        #expect(time.timestamp == text)
        #expect(time.day == text.prefix(8))
    }

    @Test("as Foundation does", arguments: 0..<100)
    func random(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let seconds = Int.random(in: 0..<253_402_300_800, using: &random)
        let text = Date(timeIntervalSince1970: Double(seconds)).ISO8601Format()

        #expect(SigningTime(secondsSince1970: seconds).timestamp == text.filter { $0 != "-" && $0 != ":" })
    }

    @Test(
        "floored to the window that it lies in",
        arguments: [
            (86_399, 43_200, 43_200), (86_400, 43_200, 86_400), (86_401, 43_200, 86_400), (59, 60, 0),
            (7, 1, 7),
            (7, 0, 7),
        ]
    )
    func floor(seconds: Int, window: Int, start: Int) {
        let time = SigningTime(secondsSince1970: seconds)

        #expect(time.floored(to: .seconds(window)) == SigningTime(secondsSince1970: start))
    }
}
