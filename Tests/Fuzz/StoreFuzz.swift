import ObjectStore

/// Reads arbitrary text as what comes from outside to a store: keys, URLs, targets of requests, answers.
///
/// The first byte chooses what is put before and behind the rest. Whatever is recognised is written again as it was
/// read, so that nothing but our own names and URLs is.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count >= 1 else { return 0 }
    let rest = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    let text = frames[Int(start[0]) % frames.count](String(decoding: rest, as: UTF8.self))
    if let name = ObjectName(key: text) { precondition(name.key.utf8.elementsEqual(text.utf8)) }
    if let name = ObjectName(fileName: text) { precondition(name.fileName.utf8.elementsEqual(text.utf8)) }
    if let name = bucket.objectName(ofOwnURL: text) { checkPath(of: text, "/pictures/\(name.key)") }
    if let name = directory.objectName(ofOwnURL: text) {
        checkPath(of: text, "/side/media/signed/\(name.fileName)")
    }
    if let name = links.objectName(ofOwnURL: text) { checkPath(of: text, "/media/\(name.fileName)") }
    if let name = PublicLinks.objectName(ofTarget: text) {
        precondition("/media/\(name.fileName)".utf8.elementsEqual(text.utf8))
    }
    checkTarget(text)
    Array(text.utf8).withUnsafeBytes { answer in
        precondition(S3Failure.code(in: answer)?.utf8.contains { $0 <= 0x20 || $0 == 0x3C } != true)
        precondition(S3Location.uploadID(in: answer)?.contains("<") != true)
    }
    return 0
}

/// Behind scheme and authority comes the path, and then nothing or a query.
private func checkPath(of url: String, _ path: String) {
    let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    precondition(parts.count == 4 && "/\(parts[3])".prefix { $0 != "?" } == path)
    precondition(parts[2].lowercased().hasPrefix("s.example"))
}

/// Only what was signed is granted: the target of the one URL that is put before the rest.
private func checkTarget(_ text: String) {
    guard case .granted(let name, let end) = directory.access(to: text, at: time) else { return }
    let url = directory.signedURL(for: name, at: end, lifetime: .zero)
    precondition(url.utf8.elementsEqual("https://s.example/side\(text)".utf8))
}

private let digits = String(repeating: "0a", count: 32)
private let time = SigningTime(secondsSince1970: 1_800_000_000)
private let bucket: S3Location = {
    guard let origin = WebOrigin("https://s.example"), let name = BucketName("pictures") else { fatalError() }
    return S3Location(endpoint: origin, publicEndpoint: origin, bucket: name)
}()
private let links: PublicLinks = {
    guard let links = PublicLinks(base: "https://s.example") else { fatalError() }
    return links
}()
private let directory: DirectoryLocation = {
    let secret = Array(UInt8(0)..<32)
    guard let location = DirectoryLocation(base: "https://s.example/side", secret: secret) else {
        fatalError()
    }
    return location
}()
private let target: String = {
    guard let name = ObjectName(fileName: "\(digits).png") else { fatalError() }
    return String(directory.signedURL(for: name, at: time, lifetime: .seconds(9)).dropFirst(22))
}()

private let frames: [@Sendable (String) -> String] = [
    { $0 },
    { "0a/\(digits)\($0)" },
    { "\($0)/\(digits).png" },
    { "\(digits).\($0)" },
    { "https://s.example\($0)/pictures/0a/\(digits).png" },
    { "\($0)/pictures/0a/\(digits).png" },
    { "https://s.example/pictures/0a/\(digits).png\($0)" },
    { "https://s.example/side/media/signed/\(digits).png\($0)" },
    { "https://s.example/side/media/signed/\($0)\(digits).png" },
    { "https://s.example\($0)/media/\(digits).png" },
    { "/media/\(digits).png\($0)" },
    { target + $0 },
    { target.dropLast($0.utf8.count) + $0 },
    { "<?xml version=\"1.0\"?><Error><Code>\($0)</Code></Error>" },
    { "<InitiateMultipartUploadResult><UploadId>\($0)</UploadId></InitiateMultipartUploadResult>" },
]
