import NIOCore
import Testing

@testable import Egress

@Suite("Addresses that are not public are recognised")
struct AddressRuleTests {
    @Test(
        "in every spelling of a literal",
        arguments: [
            "127.0.0.1", "127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.01",
            "127.0.0.1.",
            "0", "0.0.0.0", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1",
            "192.168.257",
            "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255",
            "192.88.99.1",
            "::", "::1", "[::1]", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "[::ffff:10.1.2.3]",
            "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::8.8.8.8",
            "2002:7f00:1::1", "2002:c0a8:101::", "2001:0:1::1", "2001:db8::1", "3fff:fff::1", "fc00::1",
            "fdff::1",
            "fe80::1", "fe80::1%eth0", "fe80::1%25lo", "fec0::1", "ff02::1", "100::1", "5f00::1",
        ]
    )
    func privateLiterals(literal: String) {
        #expect(AddressRule.isPrivate(literal: literal) == true)
    }

    @Test(
        "and public ones are not taken for them",
        arguments: [
            "8.8.8.8", "134744072", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
            "198.17.255.255", "198.20.0.0", "223.255.255.255", "2a00:1450:4001:80b::200a",
            "[2606:4700:4700::1111]",
            "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:4860:4860::8888", "3ffe::1",
        ]
    )
    func publicLiterals(literal: String) {
        #expect(AddressRule.isPrivate(literal: literal) == false)
    }

    @Test(
        "names are not literals",
        arguments: [
            "example.com", "localhost", "", ".", "1.2.3.4.5", "256.1.1.1", "a.1", "[example]", "::g",
            "127.0.0.1\0x",
        ]
    )
    func names(name: String) {
        #expect(AddressRule.isPrivate(literal: name) == nil)
    }

    @Test("socket addresses are judged by the same rule")
    func sockets() throws {
        #expect(try AddressRule.isPrivate(SocketAddress(ipAddress: "192.168.0.1", port: 1)))
        #expect(try AddressRule.isPrivate(SocketAddress(ipAddress: "::ffff:10.0.0.1", port: 1)))
        #expect(try !AddressRule.isPrivate(SocketAddress(ipAddress: "8.8.8.8", port: 1)))
        #expect(try AddressRule.isPrivate(SocketAddress(unixDomainSocketPath: "/x")))
    }
}
