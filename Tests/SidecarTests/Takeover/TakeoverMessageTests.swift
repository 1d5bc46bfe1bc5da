import TestSupport
import Testing

@testable import Sidecar

@Suite("What two processes say to each other in a takeover")
struct TakeoverMessageTests {
    static let gateway = ListenerName(name: "gateway", address: "0.0.0.0:4100")
    static let admin = ListenerName(name: "admin", address: "[::1]:4190")

    static let rows: [(message: TakeoverMessage, text: String)] = [
        (.hello(version: 1), "sidecar-takeover/1 hello"),
        (.hello(version: 12), "sidecar-takeover/12 hello"),
        (.offer([]), "sidecar-takeover/1 offer"),
        (.offer([gateway, admin]), "sidecar-takeover/1 offer\ngateway 0.0.0.0:4100\nadmin [::1]:4190"),
        (.ready([gateway]), "sidecar-takeover/1 ready\ngateway 0.0.0.0:4100"),
        (.done, "sidecar-takeover/1 done"),
        (.refused(reason: "not now"), "sidecar-takeover/1 refused\nnot now"),
    ]

    @Test("is text, and is read as it was written", arguments: rows)
    func written(message: TakeoverMessage, text: String) {
        #expect(String(decoding: message.bytes, as: UTF8.self) == text)
        #expect(TakeoverMessage(message.bytes) == message)
    }

    @Test("a greeting of another version is understood, whatever follows")
    func otherVersion() {
        #expect(TakeoverMessage("sidecar-takeover/2 hello\nwants=all".utf8) == .hello(version: 2))
    }

    @Test(
        "anything else is no message",
        arguments: [
            "", "\n", "hello", "sidecar-takeover/1", "sidecar-takeover/1 ", "sidecar-takeover/1 hell",
            "sidecar-takeover/0 hello", "sidecar-takeover/-1 hello", "sidecar-takeover/+1 hello",
            "sidecar-takeover/01 hello", "sidecar-takeover/99999999999999999999 hello",
            "sidecar-takeover/ hello",
            "sidecar-takeover/1  hello", "sidecar-takeover/1 hello x", "sidecar-takeover/1 done\n",
            "sidecar-takeover/2 done", "sidecar-takeover/2 offer", "sidecar-takeover/1 refused",
            "sidecar-takeover/1 refused\na\nb", "sidecar-takeover/1 offer\n",
            "sidecar-takeover/1 offer\ngateway",
            "sidecar-takeover/1 offer\ngateway ", "sidecar-takeover/1 offer\n 0.0.0.0:4100",
            "sidecar-takeover/1 offer\ngateway a b", "sidecar-takeover/1 offer\ngateway a:1\ngateway b:1",
            "sidecar-takeover/1 offer\ngateway a:1\r", "sidecar-takeover/1 offer\ngateway \u{E9}:1",
            "sidecar-takeover/1 offer\na 1\nb 1\nc 1\nd 1\ne 1\nf 1\ng 1\nh 1",
            "sidecar-takeover/1 refused\n" + String(repeating: "x", count: 4_096),
        ]
    )
    func refused(text: String) {
        #expect(TakeoverMessage(text.utf8) == nil)
    }

    @Test("what is read of damaged bytes is what they say, word for word", arguments: 0..<500)
    func damaged(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var bytes = Self.rows.randomElement(using: &random)?.message.bytes ?? []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0..<max(1, bytes.count), using: &random)
            let byte = Bool.random(using: &random) ? 0x0A : UInt8.random(in: 0...255, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0 where !bytes.isEmpty: bytes[place] = byte
            case 1 where !bytes.isEmpty: bytes.remove(at: place)
            case 2: bytes.removeLast(bytes.count - min(place, bytes.count))
            default: bytes.insert(byte, at: min(place, bytes.count))
            }
        }

        switch TakeoverMessage(bytes) {
        case nil: break
        case .hello(let version)?: #expect(bytes.starts(with: TakeoverMessage.hello(version: version).bytes))
        case let message?: #expect(message.bytes == bytes)
        }
    }
}
