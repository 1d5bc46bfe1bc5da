internal import FoundationEssentials
internal import Policies

/// What clipping did to a request.
struct ClipReceipt: Equatable {
    /// One message of the request as it came.
    struct Line: Equatable {
        var role: String
        var tokens: Int
        var fate: Receipt.Fate
    }

    var before: Int
    var after: Int
    var budget: Budget
    var lines: [Line]
    var dropped: Int { lines.count { $0.fate == .dropped } }

    var kept: Int { lines.count - dropped }

    /// The value of the `x-sidecar-clip` header.
    var header: String {
        "dropped=\(dropped);kept=\(kept);before=\(before);after=\(after);budget=\(budget.tokens);encoding=\(budget.counting.encoding)"
    }
}

extension Receipt {
    /// The receipt of a request that was sent without some of its messages or images.
    init(_ clip: ClipReceipt?, imagesDropped: Int = 0, requestID: String, target: Target) {
        self.requestID = requestID
        time = Date.now.ISO8601Format()
        model = target.model
        upstream = target.upstream
        encoding = clip?.budget.counting.encoding
        budget = clip?.budget.tokens
        before = clip?.before
        after = clip?.after
        let lines = clip?.lines ?? []
        messages = lines.enumerated().map { index, line in
            Line(index: index, role: line.role, tokens: line.tokens, fate: line.fate)
        }
        self.imagesDropped = imagesDropped == 0 ? nil : imagesDropped
    }
}
