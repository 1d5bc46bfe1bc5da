internal import FoundationEssentials
internal import Glibc

/// What memory the system gives this process.
///
/// An allocation that fails ends a Swift program, so that large ones are asked for beforehand.
enum SystemMemory {
    /// A body is held in a buffer that doubles, beside the copy that is sent.
    private static let copiesOfBody = 3

    /// Whether there is room for a body and what is made of it.
    ///
    /// - Complexity: O(1), two system calls; nothing is touched.
    static func gives(forBodyOf byteCount: Int) -> Bool {
        let length = byteCount * copiesOfBody
        let (protection, flags) = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
        guard let memory = mmap(nil, length, protection, flags, -1, 0), memory != MAP_FAILED else {
            return false
        }
        munmap(memory, length)
        return true
    }

    /// The most that it may have, in bytes: the control group's limit (cgroups 2 and 1) or `RLIMIT_AS`; nil for none.
    static var limit: Int? {
        [addressSpace, controlGroup].compactMap(\.self).min()
    }

    private static var addressSpace: Int? {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limits) == 0 else { return nil }
        return Int(exactly: limits.rlim_cur)
    }

    private static var controlGroup: Int? {
        let files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        let texts = files.compactMap { try? String(contentsOfFile: $0, encoding: .utf8) }
        // Version 1 writes the largest number of pages for none.
        return texts.compactMap { Int($0.filter(\.isNumber)) }.filter { $0 < 1 << 60 }.min()
    }

    /// Says when bodies may together take what the system does not give: that would end the process.
    static func warn(about limits: Limits, _ log: EventLog) {
        guard let limit, limits.maxBufferedBytes > limit / 2 else { return }
        log.write(
            .warning,
            "limits.maxBufferedBytes (\(limits.maxBufferedBytes)) is more than half of the memory that the process may have (\(limit))",
            [("remedy", "lower limits.maxBufferedBytes, or give the process more memory")]
        )
    }
}
