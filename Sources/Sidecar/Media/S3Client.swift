internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import ObjectStore
internal import Synchronization

/// Sends signed requests to an S3 store, again where that may help.
struct S3Client: Sendable {
    /// Why a request was not carried out.
    enum Failure: Error {
        /// The store's own word, and how it is logged.
        case refused(S3Failure, String)
        case notAnswered(MediaStoreError)
    }

    /// The content of an answer of status 200...299.
    typealias Answer = Result<ByteBuffer, Failure>

    /// How long one request may take: an upload over a slow uplink goes on while nobody waits for it any more.
    struct Limits: Sendable {
        var upload = TimeAmount.seconds(120)
        var download = TimeAmount.seconds(30)
        var question = TimeAmount.seconds(4)
        /// No further try begins after this.
        var retries = Duration.seconds(5)
        var mostTries = 5
        /// Before the second try; each further pause is twice as long.
        var firstPause = Duration.milliseconds(100)
    }

    let http: HTTPClient
    let signer: S3Signer
    var limits = Limits()

    /// Sends a request until it is answered, or no further try is of use.
    ///
    /// - Parameters:
    ///   - content: what is sent with it, of the length and digest that the request states.
    ///   - mostBytes: of the answer's content; more is a failure.
    func send(
        _ request: S3Request,
        _ content: MediaContent? = nil,
        mostBytes: Int = mostAnswerBytes,
        within limit: TimeAmount
    ) async -> Answer {
        let end = ContinuousClock.now + limits.retries
        var pause = limits.firstPause
        for _ in 1..<limits.mostTries {
            let answer = await sendOnce(request, content, mostBytes: mostBytes, within: limit)
            guard case .failure(let failure) = answer, failure.mayPass, ContinuousClock.now + pause < end,
                !Task.isCancelled, (try? await Task.sleep(for: pause)) != nil
            else { return answer }
            pause *= 2
        }
        return await sendOnce(request, content, mostBytes: mostBytes, within: limit)
    }

    private func sendOnce(
        _ request: S3Request,
        _ content: MediaContent?,
        mostBytes: Int,
        within limit: TimeAmount
    ) async -> Answer {
        do {
            let response = try await http.execute(prepare(request, content), deadline: .now() + limit)
            let status = Int(response.status.code)
            let isGood = 200..<300 ~= status
            var body = ByteBuffer()
            for try await piece in response.body {
                // What is wrong is told in a few hundred bytes; of a page of a proxy the rest does not matter.
                guard body.readableBytes + piece.readableBytes <= mostBytes else {
                    guard isGood else { break }
                    return .failure(.notAnswered(MediaStoreError(.damaged, "larger than any")))
                }
                body.writeImmutableBuffer(piece)
            }
            return isGood ? .success(body) : .failure(Self.refusal(status, body))
        } catch {
            return .failure(.notAnswered(MediaStoreError(sending: error)))
        }
    }

    private static func refusal(_ status: Int, _ body: ByteBuffer) -> Failure {
        body.withUnsafeReadableBytes { raw in
            let code = S3Failure.code(in: raw).map { " \($0)" } ?? ""
            return .refused(S3Failure(status: status, body: raw), "status \(status)\(code)")
        }
    }

    private func prepare(_ request: S3Request, _ content: MediaContent?) -> HTTPClientRequest {
        var prepared = HTTPClientRequest(url: request.origin.text + request.target)
        prepared.method = HTTPMethod(rawValue: request.method.rawValue)
        for field in signer.headers(for: request) {
            prepared.headers.add(name: field.name, value: field.value)
        }
        if let content {
            prepared.body = .stream(DecodedPieces(of: content), length: .known(Int64(content.byteCount)))
        } else if case .bytes(let bytes) = request.payload, !bytes.isEmpty {
            prepared.body = .bytes(ByteBuffer(bytes: bytes))
        }
        return prepared
    }

    static let mostAnswerBytes = 65_536
}

extension S3Client {
    /// A client for stores; one serves the whole process, and is shut down at its end.
    ///
    /// - Parameters:
    ///   - extraCA: path of a PEM file with further trusted certificates.
    ///   - tracer: makes a span of each request that belongs to a traced one.
    ///   - connecting: how long opening a connection may take.
    static func httpClient(
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        extraCA: String? = nil,
        tracer: SpanTracer? = nil,
        connecting: TimeAmount = .seconds(2)
    ) -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let extraCA { tls.additionalTrustRoots = [.file(extraCA)] }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls,
            // A signature holds for one address.
            redirectConfiguration: .disallow,
            timeout: .init(connect: connecting, read: .seconds(20), write: .seconds(20)),
            decompression: .disabled
        )
        configuration.httpVersion = .http1Only
        configuration.connectionPool.idleTimeout = .seconds(30)
        // The requests are tried again, which tells sooner that nobody is there.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.tracing.tracer = tracer
        return HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }
}

extension S3Client.Failure {
    /// Whether the same request may succeed a moment later.
    fileprivate var mayPass: Bool {
        switch self {
        case .refused(.slowDown, _): true
        case .refused: false
        // A store that says nothing says nothing the next time, and a request has waited long enough for it.
        case .notAnswered(let error): error.kind == .unreachable
        }
    }

    var storeError: MediaStoreError {
        switch self {
        case .notAnswered(let error): error
        case .refused(let failure, let detail): MediaStoreError(Self.kind(of: failure), detail)
        }
    }

    private static func kind(of failure: S3Failure) -> MediaStoreError.Kind {
        switch failure {
        case .notFound, .noSuchBucket: .notFound
        case .denied: .denied
        case .expired: .expired
        case .slowDown: .busy
        case .alreadyOwned, .other: .refused
        }
    }
}

extension MediaStoreError {
    /// Why a request was not answered.
    fileprivate init(sending error: any Error) {
        switch error {
        case let error as HTTPClientError: self.init(sending: error)
        case is CancellationError: self.init(.refused, "given up")
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            self.init(.unreachable, "TLS: \(error)")
        case let error as IOError: self.init(.unreachable, "errno \(error.errnoCode)")
        default: self.init(.unreachable, "\(type(of: error))")
        }
    }

    private init(sending error: HTTPClientError) {
        switch error {
        case .connectTimeout: self.init(.timedOut, "connecting")
        case .readTimeout, .writeTimeout, .deadlineExceeded, .getConnectionFromPoolTimeout:
            self.init(.timedOut)
        case .cancelled: self.init(.refused, "given up")
        default: self.init(.unreachable, error.shortDescription)
        }
    }
}

/// A content's pieces, for a client that asks for one after the other.
struct DecodedPieces: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    private let content: MediaContent

    init(of content: MediaContent) {
        self.content = content
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var pieces: MediaPieces

        mutating func next() async throws -> ByteBuffer? {
            try pieces.next()
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(pieces: content.pieces)
    }
}

/// Signs with the key of the day.
final class S3Signer: Sendable {
    private let key: Mutex<SigningKey>
    private let now: @Sendable () -> SigningTime

    /// - Parameter now: the wall clock.
    init(
        _ credentials: S3Credentials,
        region: S3Region,
        now: @escaping @Sendable () -> SigningTime = { Clock.signingTime() }
    ) {
        key = Mutex(SigningKey(credentials, region: region, at: now()))
        self.now = now
    }

    func headers(for request: S3Request) -> [S3Request.Field] {
        let time = now()
        return key(at: time).headers(for: request, at: time)
    }

    func url(
        for name: ObjectName,
        in location: S3Location,
        at time: SigningTime,
        lifetime: Duration
    ) -> String {
        location.presignedURL(for: name, at: time, lifetime: lifetime, key: key(at: time))
    }

    private func key(at time: SigningTime) -> SigningKey {
        key.withLock { key in
            key = key.renewed(at: time)
            return key
        }
    }
}

extension Clock {
    /// The present instant, for signatures.
    static func signingTime() -> SigningTime {
        SigningTime(secondsSince1970: max(0, Int(epochSeconds())))
    }
}
