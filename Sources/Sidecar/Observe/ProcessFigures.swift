internal import Glibc
internal import Telemetry

/// The figures of the process, under Prometheus' standard names.
enum ProcessFigures {
    /// Reads them off `/proc/self`; what cannot be read is left out.
    static func add(to shard: inout MetricsShard) {
        if let statistics = readFile("/proc/self/stat") { addStatistics(statistics, to: &shard) }
        if let open = openDescriptors() { shard.set(.openDescriptors, to: Double(open)) }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            shard.set(.maxDescriptors, to: Double(limit.rlim_cur))
        }
    }

    /// Fields by proc(5): 14 utime, 15 stime, 22 starttime in clock ticks, 24 rss in pages.
    private static func addStatistics(_ text: String, to shard: inout MetricsShard) {
        // The command's name, field 2, may hold spaces: fields are counted behind its closing parenthesis.
        guard let end = text.lastIndex(of: ")") else { return }
        let fields = text[text.index(after: end)...].split(separator: " ")
        func field(_ number: Int) -> Double? { fields.count > number - 3 ? Double(fields[number - 3]) : nil }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        if let user = field(14), let system = field(15) {
            shard.set(.cpuSeconds, to: (user + system) / ticks)
        }
        if let pages = field(24) {
            shard.set(.residentMemory, to: pages * Double(sysconf(Int32(_SC_PAGESIZE))))
        }
        if let started = field(22), let boot = bootTime { shard.set(.startTime, to: boot + started / ticks) }
    }

    private static let bootTime: Double? = readFile("/proc/stat")?.split(separator: "\n")
        .first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }

    private static func openDescriptors() -> Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Less `.`, `..` and the descriptor of the directory itself.
        return max(0, count - 3)
    }

    private static func readFile(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
