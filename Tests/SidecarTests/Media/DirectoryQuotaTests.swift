import ObjectStore
import TestSupport
import Testing

@testable import Sidecar

@Suite("A store of limited size deletes what clients send again")
struct DirectoryQuotaTests {
    private static func name(_ number: Int) -> ObjectName {
        withUnsafeBytes(of: number) { ObjectName(digest: ContentDigest(of: $0), format: .png) }
    }

    private func name(_ number: Int) -> ObjectName { Self.name(number) }

    @Test("the one that was used the longest time ago goes first, and no more than need to")
    func oldestFirst() {
        var quota = DirectoryQuota(mostBytes: 30)
        for number in 0..<3 { quota.add(name(number), byteCount: 10, origin: .request) }
        quota.use(name(0), cameIn: .request)

        #expect(quota.reserve(5) == [name(1)])
        #expect(quota.reserve(5) == [])
        #expect(quota.reserve(1) == [name(2)])
        #expect(quota.usedBytes == 10)
    }

    @Test("images of answers stay, and leave no room for others")
    func answersStay() {
        var quota = DirectoryQuota(mostBytes: 30)
        quota.add(name(0), byteCount: 20, origin: .answer)
        quota.add(name(1), byteCount: 10, origin: .request)

        #expect(quota.reserve(11) == nil)
        #expect(quota.usedBytes == 30, "nothing is deleted in vain")
        #expect(quota.reserve(10) == [name(1)])
        #expect(quota.reserve(1) == nil, "what is being written counts")
        quota.release(10)
        #expect(quota.reserve(10) == [])
    }

    @Test("an image of a request that comes in an answer stays from then on")
    func promotion() {
        var quota = DirectoryQuota(mostBytes: 10)
        quota.add(name(0), byteCount: 10, origin: .request)
        quota.use(name(0), cameIn: .answer)
        quota.use(name(0), cameIn: .request)

        #expect(quota.reserve(1) == nil)
    }

    @Test("it does what a simple list does", arguments: 0..<100)
    func reference(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var quota = DirectoryQuota(mostBytes: 1_000)
        // Oldest use first.
        var list: [(name: ObjectName, byteCount: Int, origin: MediaOrigin)] = []
        for _ in 0..<200 {
            let picked = name(Int.random(in: 0..<30, using: &random))
            let origin: MediaOrigin = Int.random(in: 0..<20, using: &random) == 0 ? .answer : .request
            let place = list.firstIndex { $0.name == picked }
            switch (Int.random(in: 0..<10, using: &random), place) {
            case (0, let place?):
                quota.remove(picked)
                list.remove(at: place)
            case (_, let place?):
                quota.use(picked, cameIn: origin)
                var entry = list.remove(at: place)
                if origin == .answer { entry.origin = .answer }
                list.append(entry)
            case (_, nil):
                let byteCount = Int.random(in: 1...300, using: &random)
                let kept = list.filter { $0.origin == .answer }.reduce(byteCount) { $0 + $1.byteCount }
                var expected: [ObjectName]? = kept > 1_000 ? nil : []
                while expected != nil, list.reduce(byteCount, { $0 + $1.byteCount }) > 1_000,
                    let oldest = list.firstIndex(where: { $0.origin == .request })
                {
                    expected?.append(list.remove(at: oldest).name)
                }
                #expect(quota.reserve(byteCount) == expected)
                guard expected != nil else { continue }
                quota.release(byteCount)
                quota.add(picked, byteCount: byteCount, origin: origin)
                list.append((picked, byteCount, origin))
            }
            #expect(quota.usedBytes == list.reduce(0) { $0 + $1.byteCount })
            #expect(quota.usedBytes <= 1_000)
        }
    }
}
