internal import Synchronization

/// A label value, interned, so that a series is found by comparing small numbers.
///
/// Interning is for closed sets (routes, configured models, classes): what a client writes must never become
/// a label, or it could create series without end.
public struct Label: Hashable, Sendable {
    let id: UInt32

    /// The empty value.
    public static var none: Label { Label(id: 0) }
    /// What stands for every model that is not configured.
    public static let other = Label("other")

    /// Looks the text up, or adds it.
    ///
    /// Takes a lock: intern once, when a configuration is compiled, not for every request.
    public init(_ text: String) {
        id = Self.table.withLock { table in
            if let known = table.ids[text] { return known }
            let id = UInt32(table.texts.count)
            table.texts.append(text)
            table.ids[text] = id
            return id
        }
    }

    fileprivate init(id: UInt32) {
        self.id = id
    }

    /// The value as it was interned.
    public var text: String {
        Self.table.withLock { $0.texts[Int(id)] }
    }

    private struct Table {
        // The empty text has the number 0, so that a zeroed label is ``none``.
        var texts: [String] = [""]
        var ids: [String: UInt32] = ["": 0]
    }

    private static let table = Mutex(Table())
}

/// The label values of one series, in the order in which its metric names them.
public struct Labels: Hashable, Sendable {
    private var ids: SIMD8<UInt32>

    /// At most eight values; those that are left out are empty.
    public init(
        _ first: Label = .none,
        _ second: Label = .none,
        _ third: Label = .none,
        _ fourth: Label = .none,
        _ fifth: Label = .none,
        _ sixth: Label = .none,
        _ seventh: Label = .none,
        _ eighth: Label = .none
    ) {
        ids = SIMD8(
            first.id,
            second.id,
            third.id,
            fourth.id,
            fifth.id,
            sixth.id,
            seventh.id,
            eighth.id
        )
    }

    /// No labels.
    public static let none = Labels()

    /// One number for all eight; labels come from closed sets, so nobody can choose collisions.
    var mixed: UInt64 {
        let words = unsafeBitCast(ids, to: SIMD4<UInt64>.self)
        return Self.folded(words[0] ^ 0x9E37_79B9_7F4A_7C15, words[1] ^ 0xE703_7ED1_A0B4_28DB)
            &+ Self.folded(words[2] ^ 0xA076_1D64_78BD_642F, words[3] ^ 0x8EBC_6AF0_9C88_C6E3)
    }

    /// The halves of the product: each bit of either number moves most of the bits.
    private static func folded(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let product = one.multipliedFullWidth(by: other)
        return product.high ^ product.low
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(mixed)
    }

    func text(at place: Int) -> String {
        Label(id: ids[place]).text
    }
}
