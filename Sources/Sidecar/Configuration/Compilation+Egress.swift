internal import Egress

extension Compilation {
    mutating func egress() -> EgressSettings {
        let section = section("egress")
        let probe = section.seconds("probeSeconds")
        return EgressSettings(
            hops: hops(in: section),
            forward: forward(in: section),
            connect: section.seconds("connectSeconds"),
            firstByte: section.seconds("firstByteSeconds"),
            idle: section.seconds("idleSeconds"),
            probe: probe > .zero ? probe : nil
        )
    }

    /// - Parameter place: where the hop is used.
    mutating func check(hop: String, at place: JSONPointer) {
        guard !hopNames.contains(hop) else { return }
        let known = hopNames.sorted().joined(separator: ", ")
        report(
            place,
            "\(shown(hop, at: place)) is not a hop; "
                + (known.isEmpty
                    ? "list one under egress.hops" : "write one of \(known), or list it under egress.hops")
        )
    }

    private mutating func hops(in section: Section) -> [String: [Rung]] {
        var hops: [String: [Rung]] = [:]
        for (name, links) in section.lists("hops") {
            var rungs: [Rung] = []
            for (place, link) in links {
                guard let rung = rung(link, at: place) else { continue }
                if let first = rungs.firstIndex(of: rung) {
                    report(place, "the same link as entry \(first); remove it")
                } else {
                    rungs.append(rung)
                }
            }
            hops[name] = rungs
        }
        return hops
    }

    /// A link is a secret: what is wrong with it is told without a word of it.
    private mutating func rung(_ link: String, at place: JSONPointer) -> Rung? {
        do throws(LinkProblem) {
            return try Rung(link)
        } catch {
            report(place, error.message)
            return nil
        }
    }

    private mutating func forward(in section: Section) -> [ForwardRule] {
        section.sections("forward").map { rule in
            let hosts = rule.placedTexts("hosts").compactMap { place, text -> ForwardHost? in
                if let host = ForwardHost(text) { return host }
                report(
                    place,
                    "\(shown(text, at: place)) is no pattern of a host; write one such as *.googleapis.com or host:8443"
                )
                return nil
            }
            let via = rule.text("via")
            if let via { check(hop: via, at: rule.place("via")) }
            return ForwardRule(hosts: hosts, hop: via ?? "")
        }
    }

    mutating func egressListener(_ section: Section) -> EgressListener? {
        guard let address = section.text("address").flatMap(ListenAddress.init),
            let credentials = section.text("credentials")
        else { return nil }
        if !credentials.isEmpty, !Self.arePair(credentials) {
            report(
                section.place("credentials"),
                "not user:password; write both, with a colon between them and 255 bytes each at most"
            )
        }
        return EgressListener(address: address, credentials: credentials.isEmpty ? nil : credentials)
    }

    /// RFC 7617, section 2: the first colon ends the user's name; RFC 1929, section 2: neither is empty or over 255
    /// bytes.
    private static func arePair(_ credentials: String) -> Bool {
        let parts = credentials.utf8.split(separator: 0x3A, maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { (1...255).contains($0.count) }
    }
}
