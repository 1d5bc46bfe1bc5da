/// Puts combining marks into the order of their classes, those of one class as they stand.
enum MarkOrder {
    /// Length of the longest run for which moving the marks one by one is quicker than counting classes.
    private static let few = 24

    /// - Complexity: O(*n*).
    static func sort(_ marks: UnsafeMutableBufferPointer<DecomposedScalar>) {
        if marks.count <= few {
            insert(marks)
        } else {
            distribute(marks)
        }
    }

    private static func insert(_ marks: UnsafeMutableBufferPointer<DecomposedScalar>) {
        for i in marks.indices.dropFirst() {
            let mark = marks[i]
            var place = i
            while place > 0, marks[place &- 1].order > mark.order {
                marks[place] = marks[place &- 1]
                place &-= 1
            }
            marks[place] = mark
        }
    }

    /// A counting sort: there are less than 64 classes.
    private static func distribute(_ marks: UnsafeMutableBufferPointer<DecomposedScalar>) {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: DecomposedScalar.orders) { places in
            places.initialize(repeating: 0)
            for mark in marks { places[Int(mark.order)] &+= 1 }
            var next = 0
            for order in places.indices {
                (places[order], next) = (next, next &+ places[order])
            }
            withUnsafeTemporaryAllocation(of: DecomposedScalar.self, capacity: marks.count) { unsorted in
                _ = unsorted.initialize(from: marks)
                for mark in unsorted {
                    marks[places[Int(mark.order)]] = mark
                    places[Int(mark.order)] &+= 1
                }
            }
        }
    }
}
