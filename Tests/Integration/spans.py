"""A receiver of OTLP over HTTP, which decodes what it gets by OpenTelemetry's own package."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from rawhttp import Exchange, Message, Upstream, wait_for

SERVER, CLIENT, INTERNAL = SpanMessage.SPAN_KIND_SERVER, SpanMessage.SPAN_KIND_CLIENT, SpanMessage.SPAN_KIND_INTERNAL
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"


def value_of(value: object) -> str | int | float | bool:
    return getattr(value, value.WhichOneof("value"))


@dataclass
class Span:
    """One span as the receiver understood it."""

    name: str
    kind: int
    trace: str
    id: str
    parent: str
    started: int
    ended: int
    state: str
    flags: int
    failed: bool
    message: str
    attributes: dict[str, object] = field(default_factory=dict)

    @staticmethod
    def of(span: SpanMessage) -> "Span":
        names = [attribute.key for attribute in span.attributes]
        assert len(names) == len(set(names)), f"an attribute stands twice: {names}"
        assert len(span.trace_id) == 16 and len(span.span_id) == 8
        return Span(
            span.name, span.kind, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(),
            span.start_time_unix_nano, span.end_time_unix_nano, span.trace_state, span.flags,
            span.status.code == span.status.STATUS_CODE_ERROR, span.status.message,
            {attribute.key: value_of(attribute.value) for attribute in span.attributes},
        )  # fmt: skip


class Receiver:
    """Keeps the batches that it gets; `answer` may say something else than that they are taken."""

    def __init__(self, answer: Callable[[Message, Exchange], bytes | None] | None = None) -> None:
        self.answer = answer
        self.batches: list[list[Span]] = []
        self.requests: list[Message] = []
        self.resource: dict[str, object] = {}
        self.lock = threading.Lock()
        self.server = Upstream(self.take)
        self.url = self.server.url

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()

    def take(self, request: Message, exchange: Exchange) -> bytes | None:
        with self.lock:
            self.requests.append(request)
            if self.answer and (answer := self.answer(request, exchange)) != TAKEN:
                return answer
            export = ExportTraceServiceRequest.FromString(request.body)
            # The same fields in the same order and nothing that is not known: byte for byte what the package writes.
            assert export.SerializeToString() == request.body
            [resource_spans] = export.resource_spans
            self.resource = {entry.key: value_of(entry.value) for entry in resource_spans.resource.attributes}
            [scope_spans] = resource_spans.scope_spans
            assert scope_spans.scope.name == "sidecar"
            self.batches.append([Span.of(span) for span in scope_spans.spans])
        return TAKEN

    @property
    def spans(self) -> list[Span]:
        with self.lock:
            return [span for batch in self.batches for span in batch]

    def wait(self, count: int, seconds: float = 10) -> list[Span]:
        """That many spans, and no more."""
        wait_for(lambda: len(self.spans) >= count, seconds)
        spans = self.spans
        assert len(spans) == count, [span.name for span in spans]
        return spans


def assert_tree(spans: list[Span]) -> Span:
    """Asserts that all belong to one request, lie within each other's times, and returns its span."""
    by_id = {span.id: span for span in spans}
    assert len(by_id) == len(spans)
    [root] = [span for span in spans if span.kind == SERVER]
    for span in spans:
        assert span.trace == root.trace and span.started <= span.ended
        if span is root:
            continue
        parent = by_id[span.parent]
        assert span.flags == 0x101, "sampled, and its parent is known to be here"
        # Clocks of two kinds are read for the spans of libraries: some leeway.
        assert parent.started - 2_000_000 <= span.started and span.ended <= parent.ended + 2_000_000
    return root


def everything_sent(receiver: Receiver) -> str:
    """All bodies and heads as text, to look for what must not be in them."""
    bodies = b"".join(request.body for request in receiver.requests).decode("latin-1")
    return bodies + json.dumps([request.headers for request in receiver.requests])
