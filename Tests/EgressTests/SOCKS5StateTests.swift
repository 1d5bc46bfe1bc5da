import Testing

@testable import Egress

@Suite("A SOCKS5 handshake follows RFC 1928 and RFC 1929")
struct SOCKS5StateTests {
    private static let name = Destination(host: "example.com", port: 443)
    private static let reply: [UInt8] = [5, 0, 0, 1, 127, 0, 0, 1, 0x1F, 0x90]

    private func state(_ userInfo: String? = nil, to destination: Destination = name) throws -> SOCKS5State {
        try SOCKS5State(destination, credentials: LinkCredentials(userInfo))
    }

    @Test(
        "the destination is sent as its kind",
        arguments: [
            ("example.com", [3, 11] + Array("example.com".utf8)),
            ("192.0.2.7", [1, 192, 0, 2, 7]),
            ("2001:db8::1", [4, 0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]),
            // Names that only look like addresses are the proxy's to resolve.
            ("0x7f.1", [3, 6] + Array("0x7f.1".utf8)),
        ] as [(String, [UInt8])]
    )
    func request(host: String, address: [UInt8]) throws {
        let state = try state(to: Destination(host: host, port: 443))
        let transcript = TunnelTranscript(state, receiving: [[5, 0]])

        #expect(transcript.sent == [5, 1, 0] + [5, 1, 0] + address + [0x01, 0xBB])
        #expect(!transcript.isOpen)
    }

    @Test(
        "a destination that cannot be written is refused",
        arguments: ["", String(repeating: "a", count: 256)]
    )
    func unwritable(host: String) {
        #expect(throws: RoadFault.refused) { try state(to: Destination(host: host, port: 443)) }
        #expect(throws: RoadFault.refused) { try state(to: Destination(host: "example.com", port: 65_536)) }
    }

    @Test("credentials are sent only if the proxy asks for them")
    func credentialsOnDemand() throws {
        let asked = try TunnelTranscript(state("al%3Aice:s3%40"), receiving: [[5, 2], [1, 0], Self.reply])
        let spared = try TunnelTranscript(state("al%3Aice:s3%40"), receiving: [[5, 0], Self.reply])

        let login: [UInt8] = [1, 6] + Array("al:ice".utf8) + [3] + Array("s3@".utf8)
        #expect(asked.sent.prefix(18) == ([5, 2, 0, 2] + login + [5, 1])[...])
        #expect(asked.isOpen && spared.isOpen)
        #expect(!spared.sent.contains { $0 == UInt8(ascii: "@") })
    }

    @Test(
        "the reply is as long as its address says, and payload follows",
        arguments: [
            [1, 127, 0, 0, 1, 0x1F, 0x90],
            [3, 0, 0x1F, 0x90],
            [3, 4] + Array("host".utf8) + [0x1F, 0x90],
            [3, 255] + [UInt8](repeating: 0x61, count: 255) + [0x1F, 0x90],
            [4] + [UInt8](repeating: 0, count: 16) + [0x1F, 0x90],
        ] as [[UInt8]]
    )
    func replyLength(address: [UInt8]) throws {
        let bytes = [5, 0] + [5, 0, 0] + address + Array("payload".utf8)

        for pieces in bytes.everyCut {
            let transcript = try TunnelTranscript(state(), receiving: pieces)
            #expect(transcript.isOpen && transcript.fault == nil)
            #expect(transcript.payload == Array("payload".utf8))
            #expect(transcript.mostHeld <= 262)
        }
    }

    @Test(
        "a refusal is classified by its first bytes",
        arguments: [
            ([5, 0xFF], .authentication), ([5, 2], .badReply), ([5, 1], .badReply), ([4], .badReply),
            ([0x48, 0x54], .badReply),
            ([5, 0, 4], .badReply), ([5, 0, 5, 1], .destinationUnreachable), ([5, 0, 5, 2], .refused),
            ([5, 0, 5, 3], .destinationUnreachable), ([5, 0, 5, 4], .destinationUnreachable),
            ([5, 0, 5, 5], .destinationUnreachable), ([5, 0, 5, 6], .destinationUnreachable),
            ([5, 0, 5, 7], .refused), ([5, 0, 5, 8], .refused), ([5, 0, 5, 9], .badReply),
            ([5, 0, 5, 0, 1], .badReply), ([5, 0, 5, 0, 0, 2, 0], .badReply),
        ] as [([UInt8], RoadFault)]
    )
    func refusal(bytes: [UInt8], fault: RoadFault) throws {
        for pieces in bytes.everyCut {
            #expect(try TunnelTranscript(state(), receiving: pieces).fault == fault)
        }
    }

    @Test(
        "a refusal of credentials is told",
        arguments: [([5, 2, 1, 1], .authentication), ([5, 2, 5, 0], .badReply)] as [([UInt8], RoadFault)]
    )
    func wrongPassword(bytes: [UInt8], fault: RoadFault) throws {
        #expect(try TunnelTranscript(state("alice:secret"), receiving: [bytes]).fault == fault)
    }

    @Test("no changed byte opens the tunnel but those of the address that is of no use")
    func mutations() throws {
        let bytes: [UInt8] = [5, 2, 1, 0] + Self.reply
        for (place, bytes) in bytes.everyMutation {
            let transcript = try TunnelTranscript(state("alice:secret"), receiving: [bytes])
            let isHarmless = (8..<bytes.count).contains(place)
            // No authentication wanted is a choice that the proxy has.
            #expect(
                !transcript.isOpen || isHarmless || (place == 1 && bytes[1] == 0) || place == 7,
                "\(bytes)"
            )
            #expect(!transcript.isOpen || bytes[4..<7] == [5, 0, 0])
        }
    }
}
