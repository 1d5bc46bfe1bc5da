import Testing

@testable import Sidecar

@Suite("A listener takes the socket of its address")
struct InheritedListenersTests {
    private static let offered = [
        ListenerName(name: "gateway", address: "0.0.0.0:4100"),
        ListenerName(name: "admin", address: "127.0.0.1:0"),
        ListenerName(name: "dify", address: "127.0.0.1:0"),
    ]

    private var descriptors: [Descriptor] { Self.offered.indices.map { Descriptor(owning: CInt(-2 - $0)) } }

    @Test(
        "by name and address, or by the address alone unless it is any port",
        arguments: [
            ("gateway", "0.0.0.0:4100", -2), ("dify", "0.0.0.0:4100", -2), ("admin", "127.0.0.1:0", -3),
            ("dify", "127.0.0.1:0", -4), ("gateway", "127.0.0.1:0", nil), ("gateway", "0.0.0.0:4101", nil),
            ("gateway", "127.0.0.1:4100", nil),
        ] as [(String, String, CInt?)]
    )
    func takes(name: String, address: String, number: CInt?) {
        var inherited = InheritedListeners(Self.offered, descriptors)
        let listener = ListenerName(name: name, address: address)

        #expect(inherited.hasSocket(for: listener) == (number != nil))
        #expect(inherited.take(for: listener)?.number == number)
        #expect(!inherited.hasSocket(for: listener))
    }

    @Test("none where nothing was offered")
    func empty() {
        var inherited = InheritedListeners()

        #expect(inherited.take(for: Self.offered[0]) == nil)
    }
}
