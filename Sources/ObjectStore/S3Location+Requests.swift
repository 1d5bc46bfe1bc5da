extension S3Location {
    /// Writes an object whole.
    ///
    /// The name is the digest of the content, so AWS, MinIO and Ceph refuse a content that was damaged on its way;
    /// rclone does not look.
    public func put(_ name: ObjectName) -> S3Request {
        request(
            .put,
            path(to: name),
            headers: [.init("content-type", name.format.contentType)],
            payload: .digest(name.digest)
        )
    }

    /// Asks whether an object is there.
    public func head(_ name: ObjectName) -> S3Request {
        request(.head, path(to: name))
    }

    /// Reads an object.
    public func get(_ name: ObjectName) -> S3Request {
        request(.get, path(to: name))
    }

    /// Makes the bucket.
    ///
    /// The region has to be named, except the standard one, which must not be ("CreateBucket" in the Amazon S3 API
    /// Reference).
    public func createBucket() -> S3Request {
        guard region != .standard else { return request(.put, bucketPath) }
        let body =
            "<CreateBucketConfiguration xmlns=\"\(Self.namespace)\">"
            + "<LocationConstraint>\(region.name)</LocationConstraint></CreateBucketConfiguration>"
        return request(.put, bucketPath, payload: .bytes(Array(body.utf8)))
    }

    /// Begins to write an object in parts; ``uploadID(in:)`` reads the answer.
    public func initiateMultipart(_ name: ObjectName) -> S3Request {
        request(
            .post,
            path(to: name),
            query: [.init("uploads", "")],
            headers: [.init("content-type", name.format.contentType)]
        )
    }

    /// Writes one part; its answer has an ETag.
    ///
    /// - Parameters:
    ///   - number: 1...10,000; parts but the last have at least 5 MiB ("Amazon S3 multipart upload limits").
    ///   - digest: of the part; without it the store cannot tell whether the part was changed on its way.
    public func uploadPart(
        _ name: ObjectName,
        uploadID: String,
        number: Int,
        digest: ContentDigest?
    ) -> S3Request {
        request(
            .put,
            path(to: name),
            query: [.init("partNumber", String(number)), .init("uploadId", uploadID)],
            payload: digest.map { .digest($0) } ?? .unsigned
        )
    }

    /// Puts the parts together; only then the object is there.
    ///
    /// A store may answer 200 and report a failure in the content: ``S3Failure/init(completing:)`` finds it.
    ///
    /// - Parameter etags: of the parts, from number 1 on, as they were answered.
    public func completeMultipart(_ name: ObjectName, uploadID: String, etags: [String]) -> S3Request {
        var body = "<CompleteMultipartUpload xmlns=\"\(Self.namespace)\">"
        for (index, etag) in etags.enumerated() {
            body += "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(XMLText.escaped(etag))</ETag></Part>"
        }
        body += "</CompleteMultipartUpload>"
        return request(
            .post,
            path(to: name),
            query: [.init("uploadId", uploadID)],
            payload: .bytes(Array(body.utf8))
        )
    }

    /// Gives up writing in parts: the store deletes what it has of them.
    public func abortMultipart(_ name: ObjectName, uploadID: String) -> S3Request {
        request(.delete, path(to: name), query: [.init("uploadId", uploadID)])
    }

    /// The identifier in the answer to ``initiateMultipart(_:)``.
    ///
    /// - Returns: nil when the answer is not one.
    public static func uploadID(in answer: UnsafeRawBufferPointer) -> String? {
        // rclone leaves the last word out.
        ["InitiateMultipartUploadResult", "InitiateMultipartUpload"]
            .compactMap { XMLText(answer, root: $0)?.content(of: "UploadId") }.first
    }

    private func request(
        _ method: S3Request.Method,
        _ path: String,
        query: [S3Request.Field] = [],
        headers: [S3Request.Field] = [],
        payload: S3Request.Payload = .bytes([])
    ) -> S3Request {
        S3Request(
            method,
            at: origin(endpoint),
            path: path,
            query: query,
            headers: headers,
            payload: payload
        )
    }

    private static let namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
}
