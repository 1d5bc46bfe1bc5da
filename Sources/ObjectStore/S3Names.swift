/// The name of a bucket.
public struct BucketName: Hashable, Sendable {
    /// As it stands in paths and host names.
    public let name: String

    /// Checks a name by the rules that hold everywhere.
    ///
    /// 3 to 63 lower-case letters, digits, hyphens and dots, a letter or digit at each end, no two dots side by side
    /// ("Bucket naming rules" in the Amazon S3 User Guide).
    public init?(_ name: String) {
        let bytes = Array(name.utf8)
        guard (3...63).contains(bytes.count), let first = bytes.first, let last = bytes.last,
            isLowerAlphanumeric(first), isLowerAlphanumeric(last),
            bytes.allSatisfy({ isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
            ),
            !name.contains("..")
        else { return nil }
        self.name = name
    }
}

/// The name of a region; stores that have none are told `us-east-1`.
public struct S3Region: Hashable, Sendable {
    /// As it stands in signatures.
    public let name: String

    /// Checks a name: 1 to 63 lower-case letters, digits and hyphens.
    public init?(_ name: String) {
        guard (1...63).contains(name.utf8.count),
            name.utf8.allSatisfy({ isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") })
        else { return nil }
        self.name = name
    }

    private init(known name: String) {
        self.name = name
    }

    /// The region that every store takes, and the only one in which a bucket is made without naming it.
    public static let standard = S3Region(known: "us-east-1")
}

private func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
    (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
}
