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
        do throws(S3Client.Failure) {
            if !hasBucket.value { try await findBucket(content.name) }
            try await upload(content)
        } catch {
            guard case .refused(.noSuchBucket, _) = error else { throw error.storeError }
            do throws(S3Client.Failure) {
                try await makeBucket()
                try await upload(content)
            } catch {
                throw error.storeError
            }
        }
    }

    /// A store that hides what is missing says that it may not be seen; writing then tells what is the matter.
    func contains(_ name: ObjectName, cameIn origin: MediaOrigin) async throws(MediaStoreError) -> Bool {
        do throws(S3Client.Failure) {
            _ = try await client.send(location.head(name), within: client.limits.question)
            hasBucket.set()
            return true
        } catch {
            switch error {
            case .refused(.notFound, _), .refused(.noSuchBucket, _), .refused(.denied, _): return false
            default: throw error.storeError
            }
        }
    }

    func read(_ name: ObjectName) async throws(MediaStoreError) -> ByteBuffer {
        do throws(S3Client.Failure) {
            return try await client.send(
                location.get(name),
                mostBytes: MediaContent.mostBytes,
                within: client.limits.download
            )
        } catch {
            throw error.storeError
        }
    }

    private func upload(_ content: MediaContent) async throws(S3Client.Failure) {
        _ = try await client.send(location.put(content.name), content, within: client.limits.upload)
        hasBucket.set()
    }

    /// Makes the bucket before the first upload where it is missing.
    ///
    /// The answer to HEAD cannot tell a missing bucket from a missing object, and one to PUT may be lost when the
    /// store closes on an upload that it refuses. So this asks for the object that is known to be missing.
    private func findBucket(_ name: ObjectName) async throws(S3Client.Failure) {
        do throws(S3Client.Failure) {
            _ = try await client.send(
                location.get(name),
                mostBytes: MediaContent.mostBytes,
                within: client.limits.question
            )
        } catch {
            switch error {
            case .refused(.noSuchBucket, _): try await makeBucket()
            // Whatever else is the matter, the upload meets it too.
            case .refused: return
            case .notAnswered: throw error
            }
        }
    }

    private func makeBucket() async throws(S3Client.Failure) {
        do throws(S3Client.Failure) {
            _ = try await client.send(location.createBucket(), within: client.limits.question)
        } catch {
            guard case .refused(.alreadyOwned, _) = error else { throw error }
        }
    }
}
