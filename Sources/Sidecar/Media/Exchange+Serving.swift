internal import NIOCore
internal import NIOPosix
internal import ObjectStore
internal import Wire

/// Images for browsers and providers, from the gateway itself.
extension Exchange {
    /// Bytes that are read and written at once.
    private static let pieceBytes = 131_072

    /// Takes the request if it asks for a stored image.
    func takeMediaRequest() {
        guard client.listener.name == .gateway, snapshot.library != nil else { return }
        mediaRequest = headBytes.withUnsafeReadableBytes { raw in
            let folder = MediaRequest.folder
            let target = raw.slice(head.target)
            guard target.starts(with: folder.utf8) else { return nil }
            return MediaRequest(target: String(decoding: target, as: UTF8.self))
        }
    }

    /// Answers it; no upstream is asked.
    func serve(_ request: MediaRequest) {
        guard let library = snapshot.library, let settings = variant.configuration.media else {
            return respond(.notFound)
        }
        let (isGET, isHEAD) = headBytes.withUnsafeReadableBytes { raw in
            (raw.slice(head.method).equals("GET"), raw.slice(head.method).equals("HEAD"))
        }
        guard isGET || isHEAD, head.framing == .none else { return respond(.methodNotAllowed) }
        loop.eventLoop.makeFutureWithTask {
            await library.delivery(of: request, settings, at: Clock.signingTime())
        }
        .assumeIsolated().whenSuccess { delivery in
            guard !self.isOver else { return }
            self.deliver(delivery, isHEAD: isHEAD)
        }
    }

    private func deliver(_ delivery: MediaDelivery, isHEAD: Bool) {
        switch delivery {
        case .missing: respond(.notFound)
        case .refused: respond(.forbidden)
        case .failed: respond(.badGateway)
        case .elsewhere(let url, let seconds): respond(.redirect(to: url, livingFor: seconds))
        case .file(let name, let file):
            let response = headBytes.withUnsafeReadableBytes { raw in
                MediaResponse.image(
                    name,
                    byteCount: file.byteCount,
                    range: value(of: "range", raw).map { raw.slice($0) },
                    knownTags: value(of: "if-none-match", raw).map {
                        String(decoding: raw.slice($0), as: UTF8.self)
                    }
                )
            }
            respond(response, from: isHEAD ? nil : file)
        }
    }

    private func value(of name: StaticString, _ raw: UnsafeRawBufferPointer) -> Range<Int>? {
        head.fields.first { raw.slice($0.name).equalsIgnoringCase(name) }?.value
    }

    private func respond(_ response: MediaResponse, from file: ImageFile? = nil) {
        let keepsAlive = isBodyComplete && head.keepsAlive && !loop.isDraining
        record.status = response.status.rawValue
        client.write(response.head(requestID: record.id, keepsAlive: keepsAlive))
        guard let file, !response.part.isEmpty else { return end(keepsAlive: keepsAlive) }
        send(response.part, of: file, keepsAlive: keepsAlive)
    }

    /// Reads and writes piece by piece: the next one is read when the client has taken the one before.
    private func send(_ part: Range<Int>, of file: ImageFile, keepsAlive: Bool) {
        deadline = loop.coarseNow + ClientHandler.Limit.flush
        let piece = part.prefix(Self.pieceBytes)
        let read = NIOThreadPool.singleton.runIfActive(eventLoop: loop.eventLoop) { try file.bytes(piece) }
        read.assumeIsolated().whenComplete { result in
            guard !self.isOver else { return }
            guard case .success(let bytes) = result else { return self.client.close() }
            self.record.bytesOut += bytes.readableBytes
            let rest = piece.upperBound..<part.upperBound
            guard !rest.isEmpty else {
                self.client.write(bytes)
                return self.end(keepsAlive: keepsAlive)
            }
            self.client.write(bytes) { self.send(rest, of: file, keepsAlive: keepsAlive) }
        }
    }
}
