internal import NIOCore
internal import ObjectStore
internal import Policies
internal import Telemetry
internal import Wire

/// The images of a request: stored once, and sent in the form that the attempt's target takes.
extension Exchange {
    /// Goes on once the images of the body have the form that the attempt's target takes.
    ///
    /// - Parameter goOn: the attempt then has its edits; without images, or without a store, at once.
    func whenImagesAreReady(_ goOn: @escaping (Exchange) -> Void) {
        guard let attempt, attempt.images == nil, let preparation, mayCarryImages, !dropsImages else {
            return goOn(self)
        }
        let began = NIODeadline.now()
        let form = loop.shared.memory.imageForm(
            for: attempt.target,
            at: attempt.upstream.kind,
            variant.configuration.policies
        )
        let (body, dialect) = (body, record.dialect)
        let span = uploadSpan()
        loop.eventLoop
            .makeFutureWithTask {
                await Self.below(span) { await preparation.prepare(body, dialect, as: form) }
            }
            .assumeIsolated().whenSuccess { images in
                guard !self.isOver, self.attempt === attempt else {
                    if let room = images.room { self.loop.shared.bodyRoom.release(room) }
                    return
                }
                self.record.upload += (NIODeadline.now() - began).nanoseconds
                if let span { self.record.trace?.uploaded(span: span.span, since: began, images.counts) }
                self.imagesAreReady(images, goOn)
            }
    }

    private func imagesAreReady(_ images: PreparedImages, _ goOn: (Exchange) -> Void) {
        record.images += images.counts
        record.imageBytes += images.bytes
        guard images.counts[.failed] == 0 || preparation?.settings.onStoreFailure == .inline else {
            if let room = images.room { loop.shared.bodyRoom.release(room) }
            return refuse(.storeFailed)
        }
        attempt?.images = images
        if let room = images.room { putBackRooms.append(room) }
        goOn(self)
    }

    private var preparation: ImagePreparation? {
        guard let library = snapshot.library, let settings = variant.configuration.media, settings.requests
        else {
            return nil
        }
        return ImagePreparation(
            library: library,
            settings: settings,
            now: Clock.signingTime(),
            mostBodyBytes: variant.configuration.limits.maxBodyBytes,
            room: loop.shared.bodyRoom,
            mostBufferedBytes: variant.configuration.limits.maxBufferedBytes
        )
    }

    /// A chat was scanned already; the other dialects are worth a look.
    private var mayCarryImages: Bool {
        guard record.dialect.carriesImages, let decision else { return readsBody }
        // The assistant's own images are no parts of a message.
        return decision.request.facts.carriesImages
            || decision.request.conversation?.hasAttachedImages == true
    }

    /// The edits of the images for the attempt at hand.
    ///
    /// A fallback that cannot see gets the text alone: nobody is asked who cannot while somebody is left who can.
    var imageEdits: [Splice] {
        guard dropsImages else { return attempt?.images?.splices ?? [] }
        return body.withUnsafeReadableBytes { raw in
            guard let carried = CarriedImages(scanning: raw, as: record.dialect) else { return [] }
            record.images[.dropped] = carried.images.count
            return carried.removing(Array(carried.images.indices))
        }
    }

    private var dropsImages: Bool {
        guard let attempt, let decision, decision.plan.route != nil else { return false }
        let policies = variant.configuration.policies
        return policies.dropsImages(for: attempt.target.model, asked: decision.request.facts.model)
    }

    /// The body of a request that nothing else changes.
    func putImagesIntoBody() {
        let splices = Splice.merged([attempt?.images?.splices ?? [], noticeRemovals])
        attempt?.isEdited = !splices.isEmpty
        attempt?.body = splices.isEmpty ? body : body.withUnsafeReadableBytes { $0.spliced(splices) }
    }

    /// The model that a request of a dialect asks for which no policy reads.
    var statedModel: String {
        guard record.dialect != .gemini else { return modelInPath }
        return body.withUnsafeReadableBytes { raw in
            let model = Conversation(scanning: raw, as: record.dialect)?.model
            return model.map { $0.range.count <= Classification.maxModelBytes ? $0.string(in: raw) : "" }
                ?? ""
        }
    }

    /// `…/models/NAME:generateContent`.
    private var modelInPath: String {
        headBytes.withUnsafeReadableBytes { raw in
            let path = raw.slice(head.target).prefix { $0 != UInt8(ascii: "?") }
            let name = path.split(separator: UInt8(ascii: "/")).last?.prefix { $0 != UInt8(ascii: ":") }
            return name.map { String(decoding: $0.prefix(Classification.maxModelBytes), as: UTF8.self) } ?? ""
        }
    }

    /// Sends the same once more with its images in the body, if the target says that it could not fetch them.
    ///
    /// - Returns: whether it does.
    func repeatsInline(_ answer: Answer) -> Bool {
        guard let attempt, attempt.images?.hasLinks == true,
            ImageFetchFailure.isStated(status: answer.status, message: answer.message, code: answer.code)
        else { return false }
        loop.shared.memory.imageFetches.noteFailure(of: attempt.target)
        observeAttempt(outcome: Label(FailureClass.callerFault.rawValue))
        attempt.images = nil
        sendAgain(attempt)
        return true
    }

    /// Asks the same target the same in another form.
    func sendAgain(_ attempt: OngoingAttempt) {
        attempt.abandonConnection()
        answer = nil
        stopClock()
        prepare(attempt.place, budget: attempt.budget, onFreshConnection: false)
    }
}

extension Snapshot {
    /// Whether requests of a dialect that no policy reads are held because images may be in them, or are made by them.
    func readsImages(
        of dialect: Dialect,
        _ head: RequestHead,
        _ bytes: ByteBuffer,
        on listener: ProxyListener.Name
    ) -> Bool {
        guard library != nil, listener == .gateway, let media = configuration.media else { return false }
        guard dialect == .images else { return media.requests && dialect.carriesImages }
        // An edit is sent as a form: its images are no Base64.
        return media.responses
            && bytes.withUnsafeReadableBytes { raw in
                head.fields.contains {
                    $0.header == .contentType && raw.slice($0.value).starts(with: "application/json".utf8)
                }
            }
    }
}

extension Dialect {
    /// Whether requests of this dialect carry images in JSON.
    var carriesImages: Bool {
        switch self {
        case .openAIChat, .anthropicMessages, .responses, .gemini: true
        case .completions, .embeddings, .images, .other: false
        }
    }
}
