internal import NIOCore
internal import ObjectStore

extension MediaLibrary {
    /// Reads at one time for one body.
    private static let readsAtOnce = 4

    /// Reads images, each once, until there are too many bytes or the time is over.
    ///
    /// - Parameters:
    ///   - mostBytes: of all together; an image that would be beyond it is left out.
    ///   - patience: for all together; what is late is given up.
    /// - Returns: those that were read; the others cannot be had now.
    func contents(
        of names: [ObjectName],
        mostBytes: Int,
        within patience: Duration
    ) async -> [ObjectName: ByteBuffer] {
        await withTaskGroup(of: Read.self) { group in
            group.addTask {
                try? await Task.sleep(for: patience)
                return .timeIsOver
            }
            var waiting = Set(names).makeIterator()
            var contents: [ObjectName: ByteBuffer] = [:]
            var left = mostBytes
            var underway = 0
            func begin() {
                guard left > 0, let name = waiting.next() else { return }
                underway += 1
                group.addTask { .done(name, try? await self.content(of: name)) }
            }
            for _ in 0..<Self.readsAtOnce { begin() }
            while underway > 0, case .done(let name, let content)? = await group.next() {
                underway -= 1
                if let content, content.readableBytes <= left {
                    left -= content.readableBytes
                    contents[name] = content
                }
                begin()
            }
            group.cancelAll()
            return contents
        }
    }

    private enum Read: Sendable {
        case done(ObjectName, ByteBuffer?)
        case timeIsOver
    }
}
