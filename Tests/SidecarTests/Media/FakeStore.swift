import NIOCore
import ObjectStore
import Synchronization

@testable import Sidecar

/// A store in memory that does what a test says.
final class FakeStore: MediaStore {
    struct State {
        var objects: [ObjectName: [UInt8]] = [:]
        var puts = 0
        var questions = 0
        var puttingNow = 0
        var mostPutting = 0
        /// Thrown by everything that is asked.
        var error: MediaStoreError?
        /// Puts wait while this is so.
        var isHeld = false
    }

    let trust: Duration
    let state = Mutex(State())

    init(trust: Duration = .seconds(3_600)) {
        self.trust = trust
    }

    subscript<Value: Sendable>(path: any WritableKeyPath<State, Value> & Sendable) -> Value {
        get { state.withLock { $0[keyPath: path] } }
        set { state.withLock { $0[keyPath: path] = newValue } }
    }

    func put(_ content: MediaContent, cameIn origin: MediaOrigin) async throws(MediaStoreError) {
        state.withLock { state in
            state.puts += 1
            state.puttingNow += 1
            state.mostPutting = max(state.mostPutting, state.puttingNow)
        }
        defer { state.withLock { $0.puttingNow -= 1 } }
        while self[\.isHeld] {
            guard (try? await Task.sleep(for: .milliseconds(1))) != nil else {
                throw MediaStoreError(.refused, "given up")
            }
        }
        if let error = self[\.error] { throw error }
        var bytes: [UInt8] = []
        var pieces = content.pieces
        do { while let piece = try pieces.next() { bytes += piece.readableBytesView } } catch {
            throw MediaStoreError(.damaged)
        }
        state.withLock { $0.objects[content.name] = bytes }
    }

    func contains(_ name: ObjectName, cameIn origin: MediaOrigin) async throws(MediaStoreError) -> Bool {
        let (isThere, error) = state.withLock { state in
            state.questions += 1
            return (state.objects[name] != nil, state.error)
        }
        if let error { throw error }
        return isThere
    }

    func read(_ name: ObjectName) async throws(MediaStoreError) -> ByteBuffer {
        guard let bytes = state.withLock({ $0.objects[name] }) else { throw MediaStoreError(.notFound) }
        return ByteBuffer(bytes: bytes)
    }

    func url(for name: ObjectName, at time: SigningTime, lifetime: Duration) -> String { name.key }

    func objectName(ofOwnURL url: String) -> ObjectName? { ObjectName(key: url) }
}
