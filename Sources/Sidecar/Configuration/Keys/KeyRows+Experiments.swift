import Policies

let experimentKeys =
    [
        KeyRow(
            "experiments",
            .list(of: .object),
            .otherwise([]),
            doc:
                "Settings that are tried on a share of requests; a request takes part in the first that matches."
        ),
        KeyRow(
            "experiments[].name",
            .text(.name),
            .required,
            example: "clip-24k",
            doc: "Its name in metrics and logs. Another name draws the arms anew."
        ),
        KeyRow(
            "experiments[].by",
            .choice(Experiment.Unit.allCases.map(\.rawValue)),
            .otherwise(.text(Experiment.Unit.conversation.rawValue)),
            doc: "What an arm is drawn for, and stays with it."
        ),
    ]
    + conditionKeys(
        "experiments[].when",
        doc: "What a request must be to take part; all that is given must hold."
    )
    + armKeys

private let armKeys = [
    KeyRow(
        "experiments[].arms",
        .list(of: .object, atLeast: 1),
        .required,
        example: [["name": "control", "weight": 50]],
        doc: "What is compared."
    ),
    KeyRow(
        "experiments[].arms[].name",
        .text(.name),
        .required,
        example: "tight",
        doc: "Its name in metrics, logs and the header `x-sidecar-arm`."
    ),
    KeyRow(
        "experiments[].arms[].weight",
        .integer(0...1_000_000),
        .required,
        example: 50,
        doc: "Its share, compared with the other weights."
    ),
    KeyRow(
        "experiments[].arms[].patch",
        .patch,
        .otherwise([:]),
        example: ["clip": ["maxContextTokens": 24_000]],
        doc: """
            What the arm changes of this file (RFC 7396): null takes a key away, a list is replaced whole. It is \
            the same for every arm in \(ArmPatch.fixed.map { "`\($0)`" }.joined(separator: ", ")).
            """
    ),
]
