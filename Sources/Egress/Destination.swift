/// Where a connection shall lead.
public struct Destination: Hashable, Sendable {
    /// A name, or an address literal without brackets.
    public let host: String
    /// From 1 to 65,535.
    public let port: Int

    /// Takes both as they are: what cannot be reached is found out on the way.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}
