import Testing

@testable import Egress

@Suite("A VLESS connection sends its header with the first payload and strips the answer's once")
struct VLESSStateTests {
    private func state(_ host: String = "example.com") throws -> VLESSState {
        let user = try #require(VLESSUser("b831381d-6324-4d53-ad4f-8cda48b30811"))
        return try VLESSState(Destination(host: host, port: 443), user: user)
    }

    @Test(
        "the header has the port before the address, and its own numbers of kinds",
        arguments: [
            ("example.com", "02 0b 6578616d706c652e636f6d"),
            ("192.0.2.7", "01 c0000207"),
            ("2001:db8::1", "03 20010db8000000000000000000000001"),
        ]
    )
    func header(host: String, address: String) throws {
        var state = try state(host)
        let sent = state.sealed(Array("hello".utf8))

        let header = [UInt8](hex: "00 b831381d63244d53ad4f8cda48b30811 00 01 01bb" + address)
        #expect(sent == header + Array("hello".utf8))
        #expect(state.passesOutbound && !state.owesBytes)
    }

    @Test("without payload the header goes alone")
    func headerAlone() throws {
        var state = try state()

        #expect(state.owesBytes && !state.passesOutbound)
        #expect(state.sealed([]).count == 34)
        #expect(!state.owesBytes)
    }

    @Test("the answer's header is taken off once, however it is cut", arguments: [0, 1, 5, 255])
    func strips(addons: Int) throws {
        let answer =
            [0, UInt8(addons)] + [UInt8](repeating: 7, count: addons) + [0, 0] + Array("payload".utf8)
        for pieces in answer.everyCut {
            let transcript = try TunnelTranscript(state(), receiving: pieces)
            #expect(transcript.payload == [0, 0] + Array("payload".utf8))
            #expect(transcript.fault == nil && transcript.mostHeld <= 257)
        }
    }

    @Test("another version is a bad reply", arguments: UInt8(1)...255)
    func version(number: UInt8) throws {
        #expect(try TunnelTranscript(state(), receiving: [[number]]).fault == .badReply)
    }

    @Test(
        "users are UUIDs, or texts that stand for one as Xray maps them",
        arguments: [
            ("b831381d-6324-4d53-ad4f-8cda48b30811", "b831381d63244d53ad4f8cda48b30811"),
            ("B831381D63244D53AD4F8CDA48B30811", "b831381d63244d53ad4f8cda48b30811"),
            // Made with Python: uuid.uuid5(uuid.UUID(int=0), "example").
            ("example", "feb54431301b52bba6dde1e93e81bb9e"),
        ]
    )
    func users(text: String, bytes: String) {
        #expect(VLESSUser(text)?.bytes == [UInt8](hex: bytes))
    }

    @Test(
        "other texts are no users",
        arguments: [
            "", String(repeating: "a", count: 31), "b831381d-6324-4d53-ad4f-8cda48b3081g",
            "b831381d6324-4d53-ad4f-8cda48b30811-", "b831381d-6324-4d53-ad4f-8cda48b308111",
        ]
    )
    func notUsers(text: String) {
        #expect(VLESSUser(text) == nil)
    }
}
