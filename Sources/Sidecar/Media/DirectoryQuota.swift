internal import ObjectStore

/// Decides what a store of limited size deletes, and what it does not take.
///
/// Objects of requests go first, the one that was used the longest time ago before the others: clients send them
/// again. Those of answers never go.
struct DirectoryQuota: Sendable {
    private struct Entry {
        let byteCount: Int
        var origin: MediaOrigin
        /// Grows with every use of any object.
        var lastUse: UInt64
    }

    private let mostBytes: Int
    private var entries: [ObjectName: Entry] = [:]
    private var uses: UInt64 = 0
    private(set) var usedBytes = 0
    private var requestBytes = 0
    /// Of objects that are being written.
    private var reservedBytes = 0
    /// Objects of requests by their use at one instant, the oldest last; all others have been used since.
    private var oldest: [(name: ObjectName, lastUse: UInt64)] = []

    init(mostBytes: Int) {
        self.mostBytes = mostBytes
    }

    /// Counts an object that is there, as used now.
    mutating func add(_ name: ObjectName, byteCount: Int, origin: MediaOrigin) {
        remove(name)
        uses += 1
        entries[name] = Entry(byteCount: byteCount, origin: origin, lastUse: uses)
        count(byteCount, of: origin)
    }

    /// Notes a use; what once came in an answer stays so.
    mutating func use(_ name: ObjectName, cameIn origin: MediaOrigin) {
        guard var entry = entries[name] else { return }
        uses += 1
        entry.lastUse = uses
        if origin == .answer, entry.origin == .request {
            entry.origin = .answer
            requestBytes -= entry.byteCount
        }
        entries[name] = entry
    }

    /// Forgets an object that is not there any more.
    mutating func remove(_ name: ObjectName) {
        guard let entry = entries.removeValue(forKey: name) else { return }
        count(-entry.byteCount, of: entry.origin)
    }

    /// Makes room for an object that is about to be written.
    ///
    /// The room is given back by ``release(_:)``, whether or not the object was added meanwhile.
    ///
    /// - Returns: what is to be deleted and is no longer counted; nil, and nothing has changed, when there is no
    ///   room.
    /// - Complexity: O(log *n*) an object, spread over many.
    mutating func reserve(_ byteCount: Int) -> [ObjectName]? {
        guard usedBytes - requestBytes + reservedBytes + byteCount <= mostBytes else { return nil }
        reservedBytes += byteCount
        var deleted: [ObjectName] = []
        while usedBytes + reservedBytes > mostBytes, let name = takeOldest() {
            remove(name)
            deleted.append(name)
        }
        return deleted
    }

    mutating func release(_ byteCount: Int) {
        reservedBytes -= byteCount
    }

    private mutating func takeOldest() -> ObjectName? {
        if oldest.isEmpty {
            oldest = entries.compactMap { $1.origin == .request ? ($0, $1.lastUse) : nil }
                .sorted { $0.lastUse > $1.lastUse }
        }
        while let candidate = oldest.popLast() {
            // One that was used since is not the oldest any more, and comes again with the next list.
            if let entry = entries[candidate.name], entry.origin == .request,
                entry.lastUse == candidate.lastUse
            {
                return candidate.name
            }
        }
        return requestBytes > 0 ? takeOldest() : nil
    }

    private mutating func count(_ byteCount: Int, of origin: MediaOrigin) {
        usedBytes += byteCount
        if origin == .request { requestBytes += byteCount }
    }
}
