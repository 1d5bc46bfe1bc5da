/// What is to happen, by milliseconds of virtual time; of the same time, first in first out.
struct Timeline<Event> {
    private var slots: [[Event]]
    private var time = 0
    private var place = 0

    /// - Parameter end: nothing is to happen from then on.
    init(end: Int) {
        slots = Array(repeating: [], count: end)
    }

    /// - Precondition: the time is not past, and before the end.
    mutating func add(_ event: Event, at time: Int) {
        precondition(time >= self.time, "\(event) in the past")
        slots[time].append(event)
    }

    mutating func next() -> (time: Int, event: Event)? {
        while time < slots.count {
            if place < slots[time].count {
                place += 1
                return (time, slots[time][place - 1])
            }
            slots[time] = []
            time += 1
            place = 0
        }
        return nil
    }
}
