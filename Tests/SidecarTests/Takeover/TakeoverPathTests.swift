import Foundation
import Testing

@testable import Sidecar

@Suite("The socket of takeovers lies in a private folder")
struct TakeoverPathTests {
    /// A folder of its own, removed afterwards.
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = "/tmp/sidecar-path-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func problem(_ path: String) -> String? {
        do throws(TakeoverError) {
            _ = try TakeoverPath(path)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("a path as long as the system takes is good, one byte more is not")
    func length() throws {
        try inFolder { folder in
            let room = 107 - folder.utf8.count - 1

            #expect(problem("\(folder)/" + String(repeating: "x", count: room)) == nil)
            let tooLong = problem("\(folder)/" + String(repeating: "x", count: room + 1))
            #expect(tooLong == "the path of the socket has 108 bytes; write one of 1 to 107")
        }
    }

    @Test("others may not write to its folder", arguments: [0o770, 0o777, 0o1777, 0o702])
    func folder(mode: Int) throws {
        try inFolder { folder in
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder)

            #expect(problem("\(folder)/s")?.contains("make it private: chmod 700") == true)
        }
    }

    @Test("nobody is there, then somebody, then a socket that was left behind")
    func standing() throws {
        try inFolder { folder in
            let path = try TakeoverPath("\(folder)/s")
            #expect(try path.connect() == nil)

            var waiting: Descriptor? = try path.listen()
            #expect(try path.connect() != nil)
            #expect(throws: TakeoverError.self) { try path.listen() }

            waiting = nil
            #expect(waiting == nil)
            #expect(try path.connect() == nil)
            _ = try path.listen()
            path.remove()
            #expect(!FileManager.default.fileExists(atPath: path.text))
        }
    }
}
