// swift-tools-version:6.1
import PackageDescription

/// One list for every target, so that no target is checked less strictly than another.
var settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

// Unsafe flags bar a package from being a dependency, so warnings are errors only where the project itself
// is built: `make` and CI set the variable.
if Context.environment["SIDECAR_STRICT"] != nil {
    settings.append(.unsafeFlags(["-warnings-as-errors"]))
}

let commit = Context.gitInformation.map { String($0.currentCommit.prefix(12)) } ?? "unknown"

let package = Package(
    name: "sidecar",
    products: [
        .executable(name: "sidecar", targets: ["Sidecar"]),
        .library(name: "TokenCount", targets: ["TokenCount"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    ],
    targets: [
        .target(name: "Policies", swiftSettings: settings),
        .target(
            name: "VocabularyData",
            exclude: ["data"],
            cSettings: [.headerSearchPath("data")]
        ),
        .target(
            name: "CSidecar",
            exclude: ["page"],
            cSettings: [.define("SIDECAR_COMMIT", to: "\"\(commit)\""), .headerSearchPath("page")]
        ),
        .target(name: "TokenCount", dependencies: ["VocabularyData"], swiftSettings: settings),
        .target(name: "Wire", swiftSettings: settings),
        .target(name: "Telemetry", swiftSettings: settings),
        .target(
            name: "ObjectStore",
            dependencies: [.product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: settings
        ),
        .target(
            name: "Egress",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Sidecar",
            dependencies: [
                "Policies", "TokenCount", "Wire", "Telemetry", "ObjectStore", "Egress", "CSidecar",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(
            name: "PoliciesTests",
            dependencies: ["Policies", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TokenCountTests",
            dependencies: ["TokenCount", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(name: "WireTests", dependencies: ["Wire", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"], swiftSettings: settings),
        .testTarget(
            name: "ObjectStoreTests",
            dependencies: ["ObjectStore", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EgressTests",
            dependencies: [
                "Egress", "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SidecarTests",
            dependencies: [
                "Sidecar", "Policies", "Wire", "TokenCount", "Telemetry", "TestSupport",
                "ObjectStore", "Egress",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
    ]
)
