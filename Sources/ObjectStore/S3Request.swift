/// One request to an S3 store, before it is signed.
///
/// A value: nothing here sends it.
public struct S3Request: Equatable, Sendable {
    /// What is done to the object or the bucket.
    public enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    /// A header field or a parameter of a query, not encoded.
    public struct Field: Hashable, Sendable {
        /// In any case.
        public var name: String
        /// May be empty.
        public var value: String

        /// A name with its value.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The content, as far as a signature covers it.
    public enum Payload: Equatable, Sendable {
        /// The content may be anything: the store cannot tell whether it was changed on its way.
        case unsigned
        /// A content that is sent by the caller and whose digest is known: most stores refuse any other.
        case digest(ContentDigest)
        /// The content itself, which the caller sends with the request; empty for none.
        case bytes([UInt8])
    }

    /// What is done to the object or the bucket.
    public var method: Method
    /// Where the request goes, and what its Host field says.
    public var origin: WebOrigin
    /// Begins with a slash; not encoded.
    public var path: String
    /// In any order; names may repeat.
    public var query: [Field]
    /// Sent and signed, all of them; without Host, which follows from `origin`.
    public var headers: [Field]
    /// What the signature says about the content.
    public var payload: Payload

    /// A request; without more it has no query, no fields and no content.
    public init(
        _ method: Method,
        at origin: WebOrigin,
        path: String,
        query: [Field] = [],
        headers: [Field] = [],
        payload: Payload = .bytes([])
    ) {
        self.method = method
        self.origin = origin
        self.path = path
        self.query = query
        self.headers = headers
        self.payload = payload
    }

    /// What stands in the request line: the encoded path, and the query in the order in which it is signed.
    public var target: String {
        let query = CanonicalRequest.query(query)
        return query.isEmpty ? encodedPath : "\(encodedPath)?\(query)"
    }

    var encodedPath: String {
        var encoded = ""
        PercentEncoding.append(path: path, to: &encoded)
        return encoded
    }
}
