import Foundation
import Glibc
import Synchronization

/// An HTTP server of a few lines that answers as a test says, and remembers what it was asked.
final class ScriptedStore: Sendable {
    struct Request: Sendable {
        var method: String
        var target: String
        /// Names in lower case.
        var headers: [String: String]
        var body: [UInt8]
    }

    enum Answer: Sendable {
        case status(Int, String = "")
        /// Closes without a word, the content read or not.
        case hangUp
        /// Says nothing.
        case silence
    }

    private struct State {
        var requests: [Request] = []
        var answers: [Answer]
    }

    let port: Int
    private let listener: CInt
    private let state: Mutex<State>
    private let otherwise: @Sendable (Request) -> Answer

    /// - Parameters:
    ///   - answers: to the first requests.
    ///   - otherwise: answers those that follow.
    init(_ answers: [Answer] = [], otherwise: @escaping @Sendable (Request) -> Answer = { _ in .status(200) })
    {
        state = Mutex(State(answers: answers))
        self.otherwise = otherwise
        listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        port = withUnsafeMutablePointer(to: &address) { [listener] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                precondition(bind(listener, address, size) == 0 && listen(listener, 64) == 0)
                precondition(getsockname(listener, address, &size) == 0)
            }
            return Int(UInt16(bigEndian: pointer.pointee.sin_port))
        }
        Thread.detachNewThread { [listener, weak self] in
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                Thread.detachNewThread { [weak self] in
                    while let store = self, store.serve(connection) {}
                    close(connection)
                }
            }
            close(listener)
        }
    }

    deinit {
        // Ends the wait for connections. That thread closes, or it might go on at another store's socket of this number.
        shutdown(listener, CInt(SHUT_RDWR))
    }

    var requests: [Request] { state.withLock { $0.requests } }

    /// As method and path, such as `PUT /bucket`.
    var lines: [String] { requests.map { "\($0.method) \($0.target.prefix { $0 != "?" })" } }

    /// Whether the connection stays.
    private func serve(_ connection: CInt) -> Bool {
        var received: [UInt8] = []
        while received.firstRange(of: Array("\r\n\r\n".utf8)) == nil {
            guard receive(&received, connection) else { return false }
        }
        guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return false }
        let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).components(
            separatedBy: "\r\n"
        )
        let parts = lines[0].split(separator: " ").map(String.init)
        let headers = lines.dropFirst().map { $0.split(separator: ":", maxSplits: 1).map(String.init) }
        var request = Request(
            method: parts[0],
            target: parts[1],
            headers: Dictionary(
                headers.map { ($0[0].lowercased(), $0[1].trimmingCharacters(in: .whitespaces)) },
                uniquingKeysWith: { $0 + "," + $1 }
            ),
            body: []
        )
        var body = Array(received[end.upperBound...])
        while body.count < Int(request.headers["content-length"] ?? "0") ?? 0 {
            guard receive(&body, connection) else { return false }
        }
        request.body = body
        let answer = state.withLock { state in
            state.requests.append(request)
            return state.answers.isEmpty ? nil : state.answers.removeFirst()
        }
        return send(answer ?? otherwise(request), to: connection, isHead: request.method == "HEAD")
    }

    private func receive(_ bytes: inout [UInt8], _ connection: CInt) -> Bool {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(connection, &piece, piece.count, 0)
        guard count > 0 else { return false }
        bytes += piece[..<count]
        return true
    }

    private func send(_ answer: Answer, to connection: CInt, isHead: Bool) -> Bool {
        switch answer {
        case .hangUp: return false
        case .silence:
            sleep(30)
            return false
        case .status(let status, let body):
            let head = "HTTP/1.1 \(status) X\r\ncontent-length: \(body.utf8.count)\r\n\r\n"
            let bytes = Array((isHead ? head : head + body).utf8)
            return Glibc.send(connection, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count
        }
    }
}
