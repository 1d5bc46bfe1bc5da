/// Makes one streamed chat answer of those of several attempts, the ones before the last of which broke off.
///
/// Pure: pieces of the upstream's stream go in, framing taken off, and what the client gets comes out, always whole
/// events. The first attempt's events pass as they are. Of the events of a later attempt goes on what the client does
/// not have yet:
///
///     goOn       the target was given the text so far: an exact echo of all of it is left out
///     startOver  the target was only asked again: text that repeats what the client has is left out; where it
///                differs, the notice and the whole of the fresh answer follow
///
/// What a model thought is not repeated once the client has any of the answer. An event with an error, and one whose
/// JSON is broken, ends the attempt and is not passed on.
public struct SplicedAnswer: Sendable {
    /// How a later attempt's answer follows what the client has.
    public enum Manner: Equatable, Sendable {
        case goOn
        /// `notice` is UTF-8.
        case startOver(notice: [UInt8])
    }

    /// How far the present attempt's stream has come.
    public enum Condition: Equatable, Sendable {
        case open
        /// The event came that ends a stream.
        case complete
        /// An event said that it failed, or made no sense.
        case broken
    }

    /// More text than this is not kept, and an answer with more not continued.
    public static let maxTextBytes = 1 << 20
    /// An event may be so long; the answer that holds a longer one passes as it is from there on.
    public static let maxEventBytes = 1 << 20

    public private(set) var condition = Condition.open
    /// The text of the answer as the client has it, from the latest notice on; UTF-8.
    public private(set) var text: [UInt8] = []
    /// The event that broke the attempt, as it came; nil when it was no error.
    public private(set) var errorEvent: [UInt8]?
    /// What it says.
    public private(set) var errorBody: ErrorBody?
    /// Whether the model has said why it stopped: all of the answer's text is there.
    public private(set) var hasFinish = false
    /// Whether all that went to the client were whole events.
    public private(set) var endsAtEvent = true

    private var held: [UInt8] = []
    private var ends = EventEnds()
    /// Whether the stream holds an event that is too long to be read: it passes as it is from there on.
    public private(set) var hasGivenUp = false
    private var hasOtherOutput = false
    private var hasRole = false
    private var hasThought = false
    /// Whether what the present attempt thinks comes too late for the client.
    private var dropsThoughts = false
    private var firstID: [UInt8]?
    private var continuation = Continuation()

    public init() {}

    /// Whether another attempt can go on where this one broke off.
    ///
    /// Not after anything but text: half a tool call cannot be completed by another model.
    public var canContinue: Bool {
        !hasGivenUp && !hasOtherOutput && text.count <= Self.maxTextBytes
    }

    /// Whether the answer is all there; it may lack the event that says so.
    public var isWhole: Bool { condition == .complete || hasFinish }

    /// Another attempt's stream begins.
    public mutating func begin(_ manner: Manner) {
        condition = .open
        errorEvent = nil
        errorBody = nil
        held = []
        ends = EventEnds()
        dropsThoughts = hasThought || !text.isEmpty
        continuation = Continuation(manner, after: text)
    }

    /// The text so far in a form that a target can be given to go on from; empty when there is none.
    public var prefill: [UInt8] { Continuation.prefill(for: text) }

    /// Takes the next piece of the attempt's stream.
    ///
    /// - Returns: what goes to the client now.
    /// - Complexity: O(*n*), one scan of each event's JSON.
    public mutating func take(_ payload: UnsafeRawBufferPointer) -> [UInt8] {
        guard !hasGivenUp else { return Array(payload) }
        guard condition == .open else { return [] }
        held.append(contentsOf: payload)
        var out: [UInt8] = []
        var start = 0
        while condition == .open, let end = held.withUnsafeBytes({ ends.next($0) }) {
            read(Array(held[start..<end]), &out)
            start = end
        }
        held.removeFirst(start)
        ends.drop(start)
        if held.count > Self.maxEventBytes { pass(&out) }
        return out
    }

    /// The attempt's stream ended where it should not: the event that was coming is lost.
    public mutating func brokeOff() {
        if condition == .open { condition = .broken }
        held = []
    }

    /// The attempt's stream came to its proper end.
    ///
    /// - Returns: what goes to the client at last. A whole answer that lacks `[DONE]` gets it.
    public mutating func end() -> [UInt8] {
        var out: [UInt8] = []
        if condition == .open, !held.isEmpty {
            read(held + Array("\n\n".utf8), &out)
            held = []
        }
        return isWhole ? out + closing() : out
    }

    /// The event that ends the stream of a whole answer, unless it came.
    public mutating func closing() -> [UInt8] {
        guard isWhole, condition != .complete, !hasGivenUp else { return [] }
        condition = .complete
        return Array("data: [DONE]\n\n".utf8)
    }

    /// Gives up reading: the stream holds what is no text.
    private mutating func pass(_ out: inout [UInt8]) {
        hasGivenUp = true
        endsAtEvent = false
        out += held
        held = []
    }

    // MARK: - Events

    private mutating func read(_ event: [UInt8], _ out: inout [UInt8]) {
        var data: [UInt8] = []
        var lineCount = 0
        var lines = SSEReader(maxLineBytes: .max)
        event.withUnsafeBytes { event in
            lines.feed(event) { line in
                data += line
                lineCount += 1
            }
        }
        // Nobody is known who writes several lines: such an event passes unread.
        if lineCount > 1 { hasOtherOutput = true }
        if lineCount == 1, data.starts(with: "[DONE]".utf8) { return readEnd(event, &out) }
        // What is no object says nothing of the answer.
        guard lineCount == 1, data.first == Ascii.openBrace else {
            out += event
            return
        }
        data.withUnsafeBytes { raw in
            guard let chunk = ChatChunk(raw) else {
                condition = .broken
                return
            }
            if chunk.hasError { return fail(event, raw) }
            read(chunk, raw, event, &out)
        }
    }

    private mutating func fail(_ event: [UInt8], _ data: UnsafeRawBufferPointer) {
        condition = .broken
        errorEvent = event
        errorBody = ErrorBody.reading(data)
    }

    private mutating func readEnd(_ event: [UInt8], _ out: inout [UInt8]) {
        guard hasFinish || !continuation.isEmptyAnswer else {
            condition = .broken
            return
        }
        if !hasFinish, let rest = continuation.settled() { out += chunk(with: took(rest)) }
        condition = .complete
        out += event
    }

    private mutating func read(
        _ chunk: ChatChunk,
        _ data: UnsafeRawBufferPointer,
        _ event: [UInt8],
        _ out: inout [UInt8]
    ) {
        var added: [UInt8] = []
        chunk.content?.append(to: &added, from: data)
        guard continuation.isUnderWay else {
            note(chunk, data)
            keep(added)
            out += event
            return
        }
        var rest = continuation.take(added)
        if chunk.hasFinish, !chunk.hasOtherOutput, continuation.isEmptyAnswer {
            condition = .broken
            return
        }
        if chunk.hasFinish || chunk.hasOtherOutput { rest = continuation.settled() ?? rest }
        write(took(rest), of: chunk, data, &out)
        note(chunk, data)
    }

    /// Adds what the continuation lets through to the client's text.
    private mutating func took(_ rest: Continuation.Rest) -> [UInt8] {
        switch rest {
        case .more(let bytes):
            keep(bytes)
            return bytes
        case .fresh(let notice, let bytes):
            text = []
            keep(bytes)
            return notice + bytes
        }
    }

    private mutating func keep(_ bytes: [UInt8]) {
        if text.count <= Self.maxTextBytes { text += bytes }
    }

    private mutating func note(_ chunk: ChatChunk, _ data: UnsafeRawBufferPointer) {
        if firstID == nil, let id = chunk.id { firstID = Array(data[id]) }
        if chunk.hasRole { hasRole = true }
        if chunk.hasOtherOutput { hasOtherOutput = true }
        if chunk.hasFinish { hasFinish = true }
        if !chunk.reasoning.isEmpty { hasThought = true }
    }
}

extension SplicedAnswer {
    /// Writes what of a later attempt's event the client does not have yet.
    private func write(
        _ rest: [UInt8],
        of chunk: ChatChunk,
        _ data: UnsafeRawBufferPointer,
        _ out: inout [UInt8]
    ) {
        let saysMore =
            chunk.hasFinish || chunk.hasUsage || chunk.hasOtherOutput || (chunk.hasRole && !hasRole)
            || (!dropsThoughts && !chunk.reasoning.isEmpty)
        var splices: [Splice] = []
        if let firstID, let id = chunk.id { splices.append(Splice(id, with: firstID)) }
        if dropsThoughts { splices += chunk.reasoning.map { Splice($0, with: Array("null".utf8)) } }
        if let content = chunk.content {
            splices.append(Splice(content.quotedRange, with: quotedJSON(utf8: rest)))
        } else if !rest.isEmpty {
            out += self.chunk(with: rest)
        }
        guard saysMore || (chunk.content != nil && !rest.isEmpty) else { return }
        out += Self.event(data.applying(Splice.merged([splices])))
    }

    /// An event of our own that adds text.
    private func chunk(with text: [UInt8]) -> [UInt8] {
        guard !text.isEmpty else { return [] }
        var json = Array(#"{"#.utf8)
        if let firstID { json += Array(#""id":"#.utf8) + firstID + Array(",".utf8) }
        json += Array(#""object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"#.utf8)
        json += quotedJSON(utf8: text) + Array(#"},"finish_reason":null}]}"#.utf8)
        return Self.event(json)
    }

    private static func event(_ json: [UInt8]) -> [UInt8] {
        Array("data: ".utf8) + json + Array("\n\n".utf8)
    }
}
