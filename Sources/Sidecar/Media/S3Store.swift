internal import AsyncHTTPClient
internal import NIOCore
internal import ObjectStore

/// Images in a bucket of an S3 store.
///
/// A store shows an object once it has all of it, of the length and digest that were signed.
final class S3Store: MediaStore {
    let trust = Duration.seconds(3_600)
    private let location: S3Location
    private let client: S3Client
    /// Whether the bucket is known to be there.
    private let hasBucket = Switch()

    init(_ location: S3Location, client: S3Client) {
        self.location = location
        self.client = client
    }

    func url(for name: ObjectName, at time: SigningTime, lifetime: Duration) -> String {
        client.signer.url(for: name, in: location, at: time, lifetime: lifetime)
    }

    func objectName(ofOwnURL url: String) -> ObjectName? {
        location.objectName(ofOwnURL: url)
    }

    func put(_ content: MediaContent, cameIn origin: MediaOrigin) async throws(MediaStoreError) {
        var answer = S3Client.Answer.success(ByteBuffer())
        if !hasBucket.value { answer = await findBucket(content.name) }
        if case .success = answer { answer = await upload(content) }
        if case .failure(.refused(.noSuchBucket, _)) = answer {
            answer = await makeBucket()
            if case .success = answer { answer = await upload(content) }
        }
        if case .failure(let failure) = answer { throw failure.storeError }
        hasBucket.set()
    }

    /// A store that hides what is missing says that it may not be seen; writing then tells what is the matter.
    func contains(_ name: ObjectName, cameIn origin: MediaOrigin) async throws(MediaStoreError) -> Bool {
        switch await client.send(location.head(name), within: client.limits.question) {
        case .success:
            hasBucket.set()
            return true
        case .failure(.refused(.notFound, _)), .failure(.refused(.noSuchBucket, _)),
            .failure(.refused(.denied, _)):
            return false
        case .failure(let failure): throw failure.storeError
        }
    }

    func read(_ name: ObjectName) async throws(MediaStoreError) -> ByteBuffer {
        let answer = await client.send(
            location.get(name),
            mostBytes: MediaContent.mostBytes,
            within: client.limits.download
        )
        return try answer.mapError(\.storeError).get()
    }

    private func upload(_ content: MediaContent) async -> S3Client.Answer {
        await client.send(location.put(content.name), content, within: client.limits.upload)
    }

    /// Makes the bucket before the first upload where it is missing.
    ///
    /// The answer to HEAD cannot tell a missing bucket from a missing object, and one to PUT may be lost when the
    /// store closes on an upload that it refuses. So this asks for the object that is known to be missing.
    private func findBucket(_ name: ObjectName) async -> S3Client.Answer {
        let answer = await client.send(
            location.get(name),
            mostBytes: MediaContent.mostBytes,
            within: client.limits.question
        )
        switch answer {
        case .failure(.refused(.noSuchBucket, _)): return await makeBucket()
        case .success, .failure(.notAnswered), .failure(.refused(.slowDown, _)): return answer
        // Whatever else is the matter, the upload meets it too.
        case .failure(.refused): return .success(ByteBuffer())
        }
    }

    private func makeBucket() async -> S3Client.Answer {
        let answer = await client.send(location.createBucket(), within: client.limits.question)
        guard case .failure(.refused(.alreadyOwned, _)) = answer else { return answer }
        return .success(ByteBuffer())
    }
}
