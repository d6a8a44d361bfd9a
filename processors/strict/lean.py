"""Faust without what costs time on every record: sensors that nobody reads, codecs for values that stay bytes."""

from typing import Any

import faust
from faust.sensors.monitor import Monitor
from mode import Service


class RawTopic(faust.Topic):  # type: ignore[misc]  # Faust is untyped here
    """A topic whose keys and values are the bytes that Kafka has.

    Never let Faust decode: a record that its codec refuses is logged, acknowledged and so lost. For sources only:
    Faust reads the changelogs of its tables with topics of its own, and those it has to decode.
    """

    def _compile_decode(self) -> None:
        """Nothing: Faust would put its compiled decoder in front of the method below."""

    async def decode(self, message: Any, *, propagate: bool = False) -> Any:  # noqa: ARG002 - Faust's signature
        """The event of a message, without any decoding."""
        return self._create_event(message.key, message.value, message.headers, message=message)


class QuietMonitor(Monitor):  # type: ignore[misc]  # Faust is untyped here
    """A monitor that counts nothing a record and samples nothing; the worker has metrics of its own."""

    def on_message_in(self, *_: Any) -> None:
        """Nothing."""

    on_message_out = on_stream_event_in = on_message_in

    def on_stream_event_out(self, *_: Any) -> None:
        """Nothing."""

    def track_tp_end_offset(self, *_: Any) -> None:
        """Nothing."""

    def on_tp_commit(self, *_: Any) -> None:
        """Nothing."""

    @Service.task  # type: ignore[untyped-decorator]  # mode is untyped here
    async def _sampler(self) -> None:
        """Nothing: replaces a task of Faust's that wakes every second."""
