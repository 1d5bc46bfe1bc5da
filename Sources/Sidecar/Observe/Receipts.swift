internal import Synchronization

/// What one request was sent without: messages that were clipped, message by message, and images that no model of its
/// chain sees; never their contents.
struct Receipt: Encodable, Sendable {
    struct Line: Encodable, Sendable {
        /// In the request as it came, from 0.
        let index: Int
        let role: String
        let tokens: Int
        let fate: Fate
    }

    enum Fate: String, Encodable, Sendable {
        case kept, dropped
        /// Kept, but longer before.
        case shortened
    }

    let requestID: String
    let time: String
    let model: String
    let upstream: String
    /// Nil, like the figures that follow, where nothing was clipped.
    let encoding: String?
    let budget: Int?
    let before: Int?
    let after: Int?
    let messages: [Line]
    /// Nil where none was left out.
    let imagesDropped: Int?

    private enum CodingKeys: String, CodingKey {
        case requestID = "request_id"
        case time, model, upstream, encoding, budget, before, after, messages
        case imagesDropped = "images_dropped"
    }
}

/// The newest receipts, for `GET /receipts/ID`.
final class Receipts: Sendable {
    /// How many are kept, and how many lines of all together: about 20 MB at most.
    private static let maxCount = 1000
    private static let maxLines = 200_000

    fileprivate struct Kept {
        var byID: [String: Receipt] = [:]
        /// Oldest first, from `start` on.
        var order: [String] = []
        var start = 0
        var lineCount = 0
    }

    private let kept = Mutex(Kept())

    subscript(id: String) -> Receipt? {
        kept.withLock { $0.byID[id] }
    }

    /// Keeps a receipt; a second one under the same id, as after another attempt, replaces the first.
    func keep(_ receipt: Receipt) {
        kept.withLock { kept in
            kept.lineCount += receipt.messages.count
            if let old = kept.byID.updateValue(receipt, forKey: receipt.requestID) {
                kept.lineCount -= old.messages.count
            } else {
                kept.order.append(receipt.requestID)
            }
            kept.makeRoom(count: Self.maxCount, lines: Self.maxLines)
        }
    }
}

extension Receipts.Kept {
    fileprivate mutating func makeRoom(count: Int, lines: Int) {
        while byID.count > count || (lineCount > lines && byID.count > 1) {
            lineCount -= byID.removeValue(forKey: order[start])?.messages.count ?? 0
            start += 1
        }
        if start > count {
            order.removeFirst(start)
            start = 0
        }
    }
}
