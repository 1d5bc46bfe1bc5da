import Egress

/// Reads arbitrary text as the link of a rung, as an address in any spelling and as Base64.
///
/// The first byte chooses what is put before the rest. A link that is accepted has a label of plain characters, the same
/// again when it is read again, and neither label nor problem shows a credential.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count >= 1, count <= 4_096 else { return 0 }
    let rest = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    let text = String(decoding: rest, as: UTF8.self)
    checkLink(frames[Int(start[0]) % frames.count](text))
    if let bytes = Base64.bytes(text) {
        precondition(Base64.bytes(Base64.text(bytes)) == bytes)
        precondition(bytes.count <= rest.count)
    }
    if case .ipv4(let bytes) = AddressLiteral(anySpelling: text) {
        let plain = bytes.map(String.init).joined(separator: ".")
        precondition(AddressLiteral(plain) == .ipv4(bytes))
    }
    return 0
}

private func checkLink(_ link: String) {
    do {
        let rung = try Rung(link)
        precondition(!rung.label.contains(secret))
        precondition(rung.label.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        let again = try Rung(" \(link)")
        precondition(again.label == rung.label)
    } catch {
        precondition(!error.message.contains(secret))
    }
}

private let secret = "correct-horse"

private let frames: [@Sendable (String) -> String] = [
    { $0 },
    { "vless://\($0)" },
    { "vless://b831381d-6324-4d53-ad4f-8cda48b30811@p.example:443?\($0)" },
    { "vless://b831381d-6324-4d53-ad4f-8cda48b30811@p.example:443?security=tls&type=ws&\($0)" },
    { "socks5://user:\(secret)\($0)@p.example:1080" },
    { "http://user:\(secret)@\($0)" },
    { "ss://\($0)" },
    { "ss://\($0)@p.example:1" },
    { "ss://aes-256-gcm:\(secret)\($0)@p.example:1" },
    { "ss://\(Base64.text(Array($0.utf8)))" },
]
