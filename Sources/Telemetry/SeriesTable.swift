/// What a series is found by.
struct SeriesKey: Hashable {
    let metric: Metric
    let labels: Labels
}

/// Series by key, with a memory for those that were used last.
///
/// One request after another adds to the same few series. They are found by one comparison; the dictionary,
/// whose hash costs ten times that, is asked for the others.
struct SeriesTable<Value: Sendable>: Sendable {
    var entries: [(key: SeriesKey, value: Value)] = []
    private var places: [SeriesKey: Int] = [:]
    /// Places in ``entries`` by a few bits of the key; a wrong guess costs a look into the dictionary.
    private var guesses = [Int](repeating: 0, count: guessCount)
    private static var guessCount: Int { 256 }

    /// Where the series stands; it is added if it is new.
    mutating func place(of key: SeriesKey, _ initial: () -> Value) -> Int {
        let mixed = key.labels.mixed &+ UInt64(key.metric.rawValue) &* 7
        let slot = Int(truncatingIfNeeded: mixed) & (Self.guessCount - 1)
        let guess = guesses[slot]
        if guess < entries.count, entries[guess].key == key { return guess }
        let place = slowPlace(of: key, initial)
        guesses[slot] = place
        return place
    }

    private mutating func slowPlace(of key: SeriesKey, _ initial: () -> Value) -> Int {
        if let place = places[key] { return place }
        entries.append((key, initial()))
        places[key] = entries.count - 1
        return entries.count - 1
    }
}
