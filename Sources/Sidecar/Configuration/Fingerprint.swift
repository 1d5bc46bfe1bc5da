extension Section {
    /// A number for the values of a checked file, in 16 hexadecimal digits.
    ///
    /// It tells files apart and hides nothing: a value that must stay hidden is to be left out. What only an
    /// editor reads does not count.
    func fingerprint(leavingOut secrets: Set<JSONPointer>) -> String {
        let unread = secrets.union([place("$schema")])
        let text = JSONValue.object(keys).leavingOut(unread, at: pointer).written(indented: false)
        return Fingerprint.of([text])
    }
}

/// Tells texts apart by a number in 16 hexadecimal digits.
enum Fingerprint {
    /// - Precondition: the texts hold no line break.
    static func of(_ texts: [String]) -> String {
        let digits = String(fnv1a(texts.joined(separator: "\n").utf8), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The 64-bit hash FNV-1a of Fowler, Noll and Vo; not for secrets.
    private static func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

extension JSONValue {
    fileprivate func leavingOut(_ places: Set<JSONPointer>, at place: JSONPointer) -> JSONValue {
        switch self {
        case .object(let object):
            .object(
                Dictionary(
                    uniqueKeysWithValues: object.lazy.map { (key: $0, value: $1, place: place.appending($0)) }
                        .filter { !places.contains($0.place) }
                        .map { ($0.key, $0.value.leavingOut(places, at: $0.place)) }
                )
            )
        case .list(let list):
            .list(list.enumerated().map { $1.leavingOut(places, at: place.appending($0)) })
        default:
            self
        }
    }
}
