internal import NIOCore
internal import ObjectStore

/// Where images are kept.
///
/// An object is there whole or not at all: nothing half-written is ever linked.
protocol MediaStore: Sendable {
    /// How long it may be believed that an object that was there still is.
    ///
    /// Zero where asking costs next to nothing.
    var trust: Duration { get }

    /// Stores an image under its name; of one that is there already only the origin is noted.
    func put(_ content: MediaContent, cameIn origin: MediaOrigin) async throws(MediaStoreError)

    /// Whether an image is there; it then counts as used now, and as one that came in so.
    func contains(_ name: ObjectName, cameIn origin: MediaOrigin) async throws(MediaStoreError) -> Bool

    /// The whole image, as it is stored.
    ///
    /// - Throws: `damaged` for more than ``MediaContent/mostBytes``.
    func read(_ name: ObjectName) async throws(MediaStoreError) -> ByteBuffer

    /// A URL under which anybody gets the image until the lifetime is over.
    ///
    /// - Parameters:
    ///   - time: when the lifetime begins; floored by the caller for a text that stays.
    ///   - lifetime: of whole seconds, 1...604,800.
    func url(for name: ObjectName, at time: SigningTime, lifetime: Duration) -> String

    /// The image that a URL of this store names, whatever query it has; nil for everything else.
    func objectName(ofOwnURL url: String) -> ObjectName?
}

/// How an image came to be known.
///
/// Clients send the images of requests again; those of answers nobody has but the store.
enum MediaOrigin: String, CaseIterable, Sendable {
    case request, answer
}

/// Why a store did not do what it was asked for.
struct MediaStoreError: Error, Equatable, Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case notFound = "not_found"
        /// The disk or its quota is full, and nothing may be deleted.
        case noRoom = "no_room"
        /// Wrong credentials, or credentials that may not do this.
        case denied
        /// The store's clock and ours differ, or the credentials are no longer valid.
        case expired
        /// It asks for a pause.
        case busy
        case unreachable
        case timedOut = "timeout"
        /// What it has under the name is not the image.
        case damaged
        case refused
    }

    var kind: Kind
    /// For the log: a status, a code or the system's word; never a name, a key or a query.
    var detail: String

    init(_ kind: Kind, _ detail: String = "") {
        self.kind = kind
        self.detail = detail
    }

    /// Whether the store is not to be had for the moment, whatever it is asked for.
    var isOutage: Bool {
        switch kind {
        case .busy, .unreachable, .timedOut: true
        case .notFound, .noRoom, .denied, .expired, .damaged, .refused: false
        }
    }
}
