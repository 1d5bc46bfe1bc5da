/// The server's side of a SOCKS5 handshake (RFC 1928, RFC 1929), up to the request.
///
/// Pure: bytes in, one action out. It reads no byte beyond the request, which may be followed by the first ones for
/// the destination.
///
///     greeting ──no credentials asked──> request ──> done
///         └──asked──> credentials ──right──> request
///                          └──wrong──> done
struct SOCKSServerState: Sendable {
    enum Action: Equatable, Sendable {
        /// More bytes are needed.
        case wait
        /// Send this and read on.
        case reply([UInt8])
        /// The client asks for a connection; the host is a name or an address.
        case connect(host: String, port: Int)
        /// Send this, if anything, and end the connection.
        case refuse([UInt8], Refusal)
    }

    /// Why the handshake ended.
    enum Refusal: String, Equatable, Sendable {
        case badSyntax = "bad_request"
        case credentials = "proxy_credentials"
        case unknownCommand = "unknown_command"
    }

    /// The code of a reply (RFC 1928, section 6).
    enum Reply: UInt8, Sendable {
        case succeeded = 0
        case failed = 1
        case notAllowed = 2
        case hostUnreachable = 4
        case refused = 5
        case unknownCommand = 7
        case unknownAddressType = 8

        /// The whole message, with an address that says nothing.
        var bytes: [UInt8] { [5, rawValue, 0, 1, 0, 0, 0, 0, 0, 0] }
    }

    private enum Phase: Equatable, Sendable {
        case greeting, credentials, request, done
    }

    /// `user:password`; nil where nobody is asked.
    private let credentials: String?
    private var phase = Phase.greeting

    init(credentials: String?) {
        self.credentials = credentials
    }

    /// Reads the next message, if it is complete.
    ///
    /// - Parameter input: what was received and not read yet; what is read is taken off.
    mutating func received(_ input: inout ArraySlice<UInt8>) -> Action {
        switch phase {
        case .greeting: greeting(&input)
        case .credentials: credentials(&input)
        case .request: request(&input)
        case .done: .wait
        }
    }

    private mutating func greeting(_ input: inout ArraySlice<UInt8>) -> Action {
        let bytes = Array(input.prefix(257))
        guard bytes.first == 5 else { return bytes.isEmpty ? .wait : end([], .badSyntax) }
        guard bytes.count > 1, bytes.count >= 2 + Int(bytes[1]) else { return .wait }
        let methods = bytes[2..<2 + Int(bytes[1])]
        input.removeFirst(2 + methods.count)
        let wanted: UInt8 = credentials == nil ? 0 : 2
        guard methods.contains(wanted) else { return end([5, 0xFF], .credentials) }
        phase = credentials == nil ? .request : .credentials
        return .reply([5, wanted])
    }

    private mutating func credentials(_ input: inout ArraySlice<UInt8>) -> Action {
        let bytes = Array(input.prefix(513))
        guard bytes.first == 1 else { return bytes.isEmpty ? .wait : end([1, 1], .badSyntax) }
        guard bytes.count > 1 else { return .wait }
        let userEnd = 2 + Int(bytes[1])
        guard bytes.count > userEnd, bytes.count > userEnd + Int(bytes[userEnd]) else { return .wait }
        let passwordEnd = userEnd + 1 + Int(bytes[userEnd])
        input.removeFirst(passwordEnd)
        let sent =
            String(decoding: bytes[2..<userEnd], as: UTF8.self) + ":"
            + String(decoding: bytes[userEnd + 1..<passwordEnd], as: UTF8.self)
        guard sent.isEqualInConstantTime(to: credentials ?? "") else { return end([1, 1], .credentials) }
        phase = .request
        return .reply([1, 0])
    }

    private mutating func request(_ input: inout ArraySlice<UInt8>) -> Action {
        let bytes = Array(input.prefix(262))
        guard bytes.prefix(3).elementsEqual([5, 1, 0].prefix(bytes.count)) else { return refuse(bytes) }
        guard bytes.count > 4 else { return .wait }
        let length: Int
        switch bytes[3] {
        case 1: length = 4
        case 3: length = 1 + Int(bytes[4])
        case 4: length = 16
        default: return end(Reply.unknownAddressType.bytes, .badSyntax)
        }
        guard bytes.count >= 4 + length + 2 else { return .wait }
        input.removeFirst(4 + length + 2)
        let port = Int(bytes[4 + length]) << 8 | Int(bytes[5 + length])
        guard port > 0, let host = Self.host(bytes[4..<4 + length], type: bytes[3]) else {
            return end(Reply.failed.bytes, .badSyntax)
        }
        phase = .done
        return .connect(host: host, port: port)
    }

    /// - Parameter bytes: of a request that is none for a connection, as far as they are there.
    private mutating func refuse(_ bytes: [UInt8]) -> Action {
        let isOtherCommand = bytes[0] == 5 && bytes.count > 1 && bytes[1] != 1
        return isOtherCommand
            ? end(Reply.unknownCommand.bytes, .unknownCommand) : end(Reply.failed.bytes, .badSyntax)
    }

    private mutating func end(_ bytes: [UInt8], _ reason: Refusal) -> Action {
        phase = .done
        return .refuse(bytes, reason)
    }

    /// - Parameter bytes: the address; a name with its length before it.
    private static func host(_ bytes: ArraySlice<UInt8>, type: UInt8) -> String? {
        switch type {
        case 1:
            return bytes.map(String.init).joined(separator: ".")
        case 4:
            let bytes = Array(bytes)
            return stride(from: 0, to: 16, by: 2)
                .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
                .joined(separator: ":")
        default:
            let name = bytes.dropFirst()
            // Whether it is one is the question of whoever has to decide where it leads.
            return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
        }
    }
}
