/// Finds the key that somebody probably meant.
enum NearestKey {
    /// The known key with the fewest letters to change, or nil when none is near.
    ///
    /// Near is at most a third of the longer word, but two letters at least, and never the whole word; case
    /// does not count.
    static func to(_ key: String, among known: [String]) -> String? {
        let key = Array(key.lowercased().unicodeScalars)
        return known.lazy
            .map { (name: $0, distance: distance(key, Array($0.lowercased().unicodeScalars))) }
            .filter { name, distance in
                distance < key.count && distance <= max(2, max(key.count, name.unicodeScalars.count) / 3)
            }
            .min { $0.distance < $1.distance }?
            .name
    }

    /// Insertions, deletions and changes between two words (Levenshtein).
    ///
    /// - Complexity: O(*n* · *m*); words that cannot be near are not compared.
    private static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        guard abs(a.count - b.count) <= max(a.count, b.count) / 3 + 2 else { return .max }
        var previous = Array(0...b.count)
        for (row, letter) in a.enumerated() {
            var current = [row + 1]
            for (column, other) in b.enumerated() {
                let change = previous[column] + (letter == other ? 0 : 1)
                current.append(min(change, previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[b.count]
    }
}
