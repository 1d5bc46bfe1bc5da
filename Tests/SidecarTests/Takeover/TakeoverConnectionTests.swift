import Glibc
import Testing

@testable import Sidecar

@Suite("Descriptors go from one process to another")
struct TakeoverConnectionTests {
    private func pair() throws -> (Descriptor, Descriptor) {
        var numbers: [CInt] = [-1, -1]
        try #require(socketpair(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue), 0, &numbers) == 0)
        return (Descriptor(owning: numbers[0]), Descriptor(owning: numbers[1]))
    }

    private func connections() throws -> (TakeoverConnection, TakeoverConnection) {
        let (first, second) = try pair()
        return (try TakeoverConnection(first), try TakeoverConnection(second))
    }

    private func openFile() throws -> Descriptor {
        let number = open("/dev/null", O_RDONLY | O_CLOEXEC)
        try #require(number >= 0)
        return Descriptor(owning: number)
    }

    /// Which file a descriptor stands for.
    private func file(_ descriptor: Descriptor) throws -> dev_t {
        var status = stat()
        try #require(fstat(descriptor.number, &status) == 0)
        return status.st_rdev
    }

    @Test("as many as a message may carry, closed for programs that are executed", arguments: [0, 1, 8])
    func passes(count: Int) throws {
        let (sender, receiver) = try connections()
        let sent = try (0..<count).map { _ in try openFile() }

        #expect(sender.send(.done, sent))
        let received = try #require(receiver.receive())

        #expect(received.message == .done)
        #expect(received.descriptors.count == count)
        for descriptor in received.descriptors {
            #expect(try file(descriptor) == file(openFile()))
            #expect(fcntl(descriptor.number, F_GETFD) & FD_CLOEXEC == FD_CLOEXEC)
        }
        #expect(Set((received.descriptors + sent).map(\.number)).count == 2 * count)
    }

    @Test("more than that are not sent")
    func tooMany() throws {
        let (sender, receiver) = try connections()
        let sent = try (0..<9).map { _ in try openFile() }

        #expect(!sender.send(.done, sent))
        #expect(sender.send(.done))
        #expect(receiver.receive()?.descriptors.isEmpty == true)
    }

    @Test("a message that is too long is none, and its end is not taken for the next")
    func tooLong() throws {
        let (sender, receiver) = try connections()

        sender.send(.refused(reason: String(repeating: "x", count: 9_000)))
        sender.send(.done)

        #expect(receiver.receive() == nil)
        #expect(receiver.receive()?.message == .done)
    }

    @Test("the end is no message, and nobody is there to be told then")
    func end() throws {
        let (first, second) = try pair()
        let connection = try TakeoverConnection(first)
        shutdown(second.number, CInt(SHUT_RDWR))

        #expect(connection.receive() == nil)
        #expect(!connection.send(.done))
    }

    @Test("this process is its own peer, and lives")
    func peer() throws {
        let (connection, _) = try connections()

        #expect(connection.peerProcess == Int(getpid()))
        #expect(connection.peerLives)
    }
}
