internal import NIOPosix
internal import ObjectStore

/// How a stored image gets to whoever asks the gateway for it.
enum MediaDelivery: Sendable {
    case file(ObjectName, ImageFile)
    /// Where it is, and for how many seconds at least.
    case elsewhere(String, seconds: Int)
    case missing
    /// Not signed by us, or its time is over.
    case refused
    /// The store does not answer.
    case failed
}

extension MediaLibrary {
    func delivery(of request: MediaRequest, _ settings: MediaSettings, at now: SigningTime) async
        -> MediaDelivery
    {
        let directory = store as? DirectoryStore
        switch request {
        case .unknown: return .missing
        case .signed(let target):
            guard let directory, case .granted(let name, _) = directory.access(to: target, at: now) else {
                return .refused
            }
            return await directory.delivery(of: name)
        case .link(let name):
            if let directory { return await directory.delivery(of: name) }
            let start = now.floored(to: settings.signWindow)
            let end = start.secondsSince1970 + Int(settings.urlLifetime.components.seconds)
            return .elsewhere(
                store.url(for: name, at: start, lifetime: settings.urlLifetime),
                seconds: end - now.secondsSince1970
            )
        }
    }
}

extension DirectoryStore {
    fileprivate func delivery(of name: ObjectName) async -> MediaDelivery {
        do {
            guard let place = try await file(name) else { return .missing }
            let opened = try await NIOThreadPool.singleton.runIfActive { ImageFile(path: place.path) }
            return opened.map { .file(name, $0) } ?? .missing
        } catch {
            return .failed
        }
    }
}
