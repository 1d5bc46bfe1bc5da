import Testing

@testable import Sidecar

@Suite("The SOCKS5 server reads what RFC 1928 and RFC 1929 say, and nothing else")
struct SOCKSServerStateTests {
    /// Everything that the server says, and how it ends.
    struct Talk: Equatable {
        var replies: [[UInt8]] = []
        var asked: String?
        var refusal: SOCKSServerState.Refusal?
        var unread: [UInt8] = []
    }

    /// - Parameter pieces: what arrives at a time.
    private static func talk(_ pieces: [[UInt8]], credentials: String? = nil) -> Talk {
        var state = SOCKSServerState(credentials: credentials)
        var talk = Talk()
        var input: [UInt8] = []
        for piece in pieces {
            input += piece
            var isWaiting = false
            while !isWaiting, talk.asked == nil, talk.refusal == nil {
                var slice = input[...]
                let action = state.received(&slice)
                input = Array(slice)
                switch action {
                case .wait: isWaiting = true
                case .reply(let bytes): talk.replies.append(bytes)
                case .connect(let host, let port): talk.asked = "\(host) \(port)"
                case .refuse(let bytes, let refusal):
                    talk.replies.append(bytes)
                    talk.refusal = refusal
                }
            }
        }
        talk.unread = input
        return talk
    }

    private static func named(_ host: String) -> [UInt8] {
        [5, 1, 0, 3, UInt8(host.utf8.count)] + Array(host.utf8) + [1, 0xBB]
    }

    private static let greeting: [UInt8] = [5, 1, 0]
    private static let login: [UInt8] = [5, 2, 0, 2, 1, 1, 0x75, 2, 0x70, 0x77]

    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var sent: [UInt8]
        var credentials: String?
        var replies: [[UInt8]]
        var asked: String?
        var refusal: SOCKSServerState.Refusal?

        var testDescription: String { when }
    }

    static let rows = [
        Row(when: "a name", sent: greeting + named("a.b"), replies: [[5, 0]], asked: "a.b 443"),
        Row(
            when: "an IPv4 address",
            sent: greeting + [5, 1, 0, 1, 8, 8, 4, 4, 0, 80],
            replies: [[5, 0]],
            asked: "8.8.4.4 80"
        ),
        Row(
            when: "an IPv6 address",
            sent: greeting + [5, 1, 0, 4] + [UInt8](repeating: 0, count: 15) + [1, 0, 80],
            replies: [[5, 0]],
            asked: "0:0:0:0:0:0:0:1 80"
        ),
        Row(
            when: "credentials that are right",
            sent: login + named("a.b"),
            credentials: "u:pw",
            replies: [[5, 2], [1, 0]],
            asked: "a.b 443"
        ),
        Row(
            when: "credentials that are wrong",
            sent: login + named("a.b"),
            credentials: "u:px",
            replies: [[5, 2], [1, 1]],
            refusal: .credentials
        ),
        Row(
            when: "a colon that moves from user to password is told apart by nobody",
            sent: [5, 1, 2, 1, 3, 0x61, 0x3A, 0x62, 1, 0x63] + named("a.b"),
            credentials: "a:b:c",
            replies: [[5, 2], [1, 0]],
            asked: "a.b 443"
        ),
        Row(
            when: "credentials are asked for and not offered",
            sent: greeting,
            credentials: "u:pw",
            replies: [[5, 0xFF]],
            refusal: .credentials
        ),
        Row(when: "no method at all", sent: [5, 0], replies: [[5, 0xFF]], refusal: .credentials),
        Row(
            when: "another command",
            sent: greeting + [5, 2, 0, 1, 8, 8, 8, 8, 0, 80],
            replies: [[5, 0], SOCKSServerState.Reply.unknownCommand.bytes],
            refusal: .unknownCommand
        ),
        Row(
            when: "another type of address",
            sent: greeting + [5, 1, 0, 2, 8, 8, 8, 8, 0, 80],
            replies: [[5, 0], SOCKSServerState.Reply.unknownAddressType.bytes],
            refusal: .badSyntax
        ),
        Row(
            when: "a name with what no name holds is not its business",
            sent: greeting + named("a\u{0}b"),
            replies: [[5, 0]],
            asked: "a\u{0}b 443"
        ),
        Row(
            when: "an empty name",
            sent: greeting + named(""),
            replies: [[5, 0], SOCKSServerState.Reply.failed.bytes],
            refusal: .badSyntax
        ),
        Row(
            when: "port 0",
            sent: greeting + [5, 1, 0, 1, 8, 8, 8, 8, 0, 0],
            replies: [[5, 0], SOCKSServerState.Reply.failed.bytes],
            refusal: .badSyntax
        ),
    ]

    @Test("a handshake", arguments: rows)
    func handshake(_ row: Row) {
        let talk = Self.talk([row.sent], credentials: row.credentials)

        #expect(talk.replies == row.replies)
        #expect(talk.asked == row.asked)
        #expect(talk.refusal == row.refusal)
    }

    @Test("however it is cut, and whatever follows", arguments: rows)
    func cut(_ row: Row) {
        let whole = Self.talk([row.sent + [9, 9]], credentials: row.credentials)
        for place in 0...row.sent.count {
            let pieces = [Array(row.sent[..<place]), Array(row.sent[place...]) + [9, 9]]
            #expect(Self.talk(pieces, credentials: row.credentials) == whole, "cut at \(place)")
        }
        let bytes = (row.sent + [9, 9]).map { [$0] }
        #expect(Self.talk(bytes, credentials: row.credentials) == whole)
        if row.asked != nil { #expect(whole.unread == [9, 9]) }
    }

    @Test("a part of it asks for nothing", arguments: rows)
    func part(_ row: Row) {
        for place in 0..<row.sent.count {
            #expect(Self.talk([Array(row.sent[..<place])], credentials: row.credentials).asked == nil)
        }
    }

    @Test("a byte that is wrong lets nobody in who has no password")
    func mutated() {
        let sent = Self.login + Self.named("a.b")
        for place in 0..<Self.login.count {
            for byte in UInt8.min...UInt8.max where byte != sent[place] {
                var mutated = sent
                mutated[place] = byte
                let talk = Self.talk([mutated], credentials: "u:pw")

                // Another method that is offered beside the right one changes nothing.
                let isOtherMethod = place == 2
                #expect(isOtherMethod || talk.asked == nil, "byte \(place) is \(byte)")
            }
        }
    }

    @Test("a byte of the request that is wrong never reads past it")
    func mutatedRequest() {
        let request = Self.named("a.b")
        for place in 0..<request.count {
            for byte in UInt8.min...UInt8.max {
                var mutated = request
                mutated[place] = byte
                let talk = Self.talk([Self.greeting + mutated])

                #expect(talk.asked == nil || talk.refusal == nil)
                #expect(talk.unread.count <= mutated.count)
            }
        }
    }
}
