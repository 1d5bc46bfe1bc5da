internal import NIOCore
internal import ObjectStore
internal import Wire

/// The images of an answer: stored, and linked to.
extension Exchange {
    /// A larger answer passes as it is.
    private static let mostDocumentBytes = 67_108_864

    /// Whether images of the answer become links.
    var linksAnswers: Bool {
        snapshot.library != nil && variant.configuration.media?.responses == true
            && client.listener.name == .gateway && (record.dialect.carriesImages || record.dialect == .images)
    }

    /// Whether the whole answer is held until it is known what it holds.
    func isDocumentToLink(_ head: ResponseHead, _ bytes: ByteBuffer) -> Bool {
        guard linksAnswers, (200..<300).contains(head.status), head.first(.contentEncoding) == nil,
            mediaType(of: head, bytes, is: "application/json")
        else { return false }
        guard case .length(let count) = head.framing else { return head.framing == .chunked }
        return count >= variant.configuration.media?.minBytes ?? .max && count <= Self.mostDocumentBytes
    }

    func mediaType(of head: ResponseHead, _ bytes: ByteBuffer, is type: StaticString) -> Bool {
        guard let field = head.first(.contentType) else { return false }
        return bytes.withUnsafeReadableBytes { raw in
            field.value.count >= type.utf8CodeUnitCount
                && raw.slice(field.value.prefix(type.utf8CodeUnitCount)).equalsIgnoringCase(type)
        }
    }

    /// Whether the client asked for addresses of the images that are made for it.
    private var wantsAddresses: Bool {
        guard record.dialect == .images else { return false }
        return body.withUnsafeReadableBytes { raw in
            let request = Conversation(scanning: raw, as: .images)
            return request?.member("response_format", in: raw).map { raw.slice($0).equals("\"url\"") }
                ?? false
        }
    }

    private var answerPreparation: AnswerPreparation? {
        guard let library = snapshot.library, let settings = variant.configuration.media else { return nil }
        return AnswerPreparation(library: library, settings: settings, linksBase64JSON: wantsAddresses)
    }

    /// Puts a part of the answer into the form in which the client gets it.
    private func link(
        _ bytes: ByteBuffer,
        _ part: AnswerPreparation.Part,
        _ goOn: @escaping (ByteBuffer) -> Void
    ) {
        guard let preparation = answerPreparation, let answer else { return goOn(bytes) }
        loop.eventLoop.makeFutureWithTask { await preparation.prepare(bytes, part) }
            .assumeIsolated().whenSuccess { linked in
                guard !self.isOver, self.answer === answer else { return }
                self.record.answerImages += linked.counts
                self.record.imageBytes += linked.imageBytes
                goOn(linked.bytes)
            }
    }

    // MARK: - Memory

    /// From here on a held answer needs room.
    private static let smallAnswer = 262_144
    /// What it takes then: most images have no more Base64.
    private static let roomOfAnswer = 16_777_216

    /// Asks for room once much of an answer is held; until it is there nothing more is read.
    ///
    /// What is held cannot be known before it is there, so this is an estimate.
    func claimAnswerRoom(for heldCount: Int) {
        guard answerRoom == nil, heldCount >= Self.smallAnswer else { return }
        if let events = answer?.events {
            events.reserve(Self.roomOfAnswer)
        } else if case .length(let count) = answer?.head.framing {
            answer?.raw.reserveCapacity(count)
        }
        let limit = variant.configuration.limits.maxBufferedBytes
        answerRoom = loop.shared.bodyRoom.claim(Self.roomOfAnswer, of: limit, on: loop.eventLoop) {
            [weak self] in
            self?.attempt?.connection?.resumeReading()
        }
    }

    func releaseAnswerRoom() {
        if let claim = answerRoom.take() { loop.shared.bodyRoom.release(claim) }
    }

    // MARK: - Whole answers

    func holdDocument(_ bytes: ByteBuffer) {
        answer?.raw.writeImmutableBuffer(bytes)
        claimAnswerRoom(for: answer?.raw.readableBytes ?? 0)
        if (answer?.raw.readableBytes ?? 0) > Self.mostDocumentBytes { accept() }
    }

    /// The whole answer is there.
    func documentIsComplete() {
        guard let answer else { return }
        let document = answer.isChunked ? answer.payload : answer.raw
        guard document.withUnsafeReadableBytes({ AnswerImage.mayBe(in: $0) }) else { return accept() }
        link(document, .document) { linked in
            answer.document = linked
            self.accept()
        }
    }

    // MARK: - Streams

    /// Passes on what is complete, up to an event that may hold an image.
    func passEvents() {
        guard let events = answer?.events else { return }
        while true {
            switch events.next() {
            case .pass(let bytes): writeEvents(bytes)
            case .wait: return
            case .rewrite(let event):
                return link(event, .event) { linked in
                    events.rewritten()
                    self.writeEvents(linked)
                    self.eventIsOut()
                }
            }
        }
    }

    private func eventIsOut() {
        passEvents()
        guard answer?.events?.isRewriting == false else { return }
        switch answer?.pendingEnd {
        case .complete: return finishRelay()
        case .cut: return answerWasCut()
        case nil: break
        }
        writePendingHead()
        client.flush()
        if answer?.events?.heldCount == 0 { releaseAnswerRoom() }
        attempt?.connection?.resumeReading()
    }

    func writeEvents(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0, let answer else { return }
        answer.linkedCount = (answer.linkedCount ?? 0) + bytes.readableBytes
        guard answer.isChunked || answer.isSpliced else { return write(bytes) }
        var chunk = ByteBuffer(string: String(bytes.readableBytes, radix: 16) + "\r\n")
        guard bytes.readableBytes > Self.smallWrite else {
            chunk.writeImmutableBuffer(bytes)
            chunk.writeStaticString("\r\n")
            return write(chunk)
        }
        write(chunk)
        write(bytes)
        write(ByteBuffer(staticString: "\r\n"))
    }
}
