"""OpenTelemetry spans by the MCP conventions: one for an exchange, one within it for what upstream did.

Spans carry names and outcomes, never a body, a header or a token. The trace context of the client is taken from
`traceparent` (W3C Trace Context) and goes on to upstream; without an endpoint for spans it passes as it came.
Source: OpenTelemetry semantic conventions, "Model Context Protocol" and "HTTP".
"""

import re
from collections.abc import Mapping
from typing import Protocol

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.effects import Request
from gateway.frames.headers import Headers, first
from gateway.settings import Telemetry

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_CONTEXT = (b"traceparent", b"tracestate")
_propagator = TraceContextTextMapPropagator()


class Traced(Protocol):
    """The span of one exchange."""

    def towards_upstream(self, headers: Headers) -> Headers:
        """The headers with the context of the span for upstream, which begins now."""
        ...

    def end(self, facts: Mapping[str, object], outcome: str) -> None:
        """The exchange has ended with these facts on its frames."""
        ...


class Untraced:
    """No spans: the client's context passes as it came."""

    def towards_upstream(self, headers: Headers) -> Headers:
        """As they are."""
        return headers

    def end(self, facts: Mapping[str, object], outcome: str) -> None:
        """Nothing."""


UNTRACED = Untraced()


class Tracing:
    """Makes spans where an endpoint for them is set. One a process; `stop` sends what is left."""

    def __init__(self, settings: Telemetry, exporter: SpanExporter | None = None) -> None:
        self._provider: TracerProvider | None = None
        if exporter is None and settings.otlp_endpoint is not None:
            exporter = OTLPSpanExporter(endpoint=settings.otlp_endpoint)
        if exporter is not None:
            sampler = ParentBased(TraceIdRatioBased(settings.sample_ratio))
            resource = Resource.create({"service.name": settings.service_name})
            self._provider = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
            self._tracer = self._provider.get_tracer("sluicegate.gateway")

    def begin(self, request: Request) -> Traced:
        """The span of an exchange that begins."""
        if self._provider is None:
            return UNTRACED
        carrier = {name.decode(): first(request.headers, name).decode("latin-1") for name in _CONTEXT}
        parent = _propagator.extract({name: value for name, value in carrier.items() if value})
        span = self._tracer.start_span(f"{request.method} mcp", context=parent, kind=SpanKind.SERVER)
        return _Spans(self, span) if span.is_recording() else _Passing(span)

    def child(self, span: Span) -> Span:
        """The span within `span` for what upstream does."""
        return self._tracer.start_span("upstream", context=set_span_in_context(span), kind=SpanKind.CLIENT)

    def stop(self) -> None:
        """Sends what is left. It may wait for the endpoint: call it off the event loop."""
        if self._provider is not None:
            self._provider.shutdown()


class _Passing:
    """A trace that is not sampled: its context goes on all the same, and says so."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def towards_upstream(self, headers: Headers) -> Headers:
        return _with_context(headers, set_span_in_context(self._span))

    def end(self, facts: Mapping[str, object], outcome: str) -> None:
        pass


class _Spans:
    def __init__(self, tracing: Tracing, span: Span) -> None:
        self._tracing = tracing
        self._span = span
        self._upstream: Span | None = None

    def towards_upstream(self, headers: Headers) -> Headers:
        self._upstream = self._tracing.child(self._span)
        return _with_context(headers, set_span_in_context(self._upstream))

    def end(self, facts: Mapping[str, object], outcome: str) -> None:
        span = self._span
        attributes = _attributes(facts, outcome)
        method, target = str(facts["method"]), str(facts["tool"] or "")
        span.update_name(f"{method} {target}".strip()[:200] or "mcp")
        for each in filter(None, (self._upstream, span)):
            each.set_attributes(attributes)
            if outcome != "completed":
                each.set_status(StatusCode.ERROR, outcome)
            each.end()


def trace_id(traceparent: bytes) -> str:
    """The trace that a client says its request belongs to, 32 hex digits; '' when it says none."""
    found = _TRACEPARENT.fullmatch(traceparent)
    return found[1].decode() if found else ""


def _with_context(headers: Headers, context: Context) -> Headers:
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, context)
    kept = [pair for pair in headers if pair[0] not in _CONTEXT]
    return [*kept, *((name.encode(), value.encode("latin-1")) for name, value in carrier.items())]


def _attributes(facts: Mapping[str, object], outcome: str) -> dict[str, str | int]:
    known = {
        "mcp.method.name": facts["method"],
        "mcp.protocol.version": facts["mcp_protocol_version"],
        "gen_ai.tool.name": facts["tool"],
        "http.request.method": facts["http_method"],
        "http.response.status_code": facts["http_status"],
        "sluicegate.connection": facts["connection"],
        "sluicegate.exchange.id": facts["exchange_id"],
        "sluicegate.session.id": facts["session_id"],
        "sluicegate.verdict": facts["verdict"],
        "sluicegate.rule": facts["rule"],
        "error.type": "" if outcome == "completed" else outcome,
    }
    return {name: value for name, value in known.items() if value and isinstance(value, str | int)}
