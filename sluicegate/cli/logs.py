"""Logs of the long-running parts: one JSON object a line on standard error, ours and those of libraries alike."""

import logging
import sys
import time
from collections.abc import Callable

SAME_SECONDS = 10.0
TOLD_MAX = 1_000


class Sparing(logging.Filter):
    """Lets a library say the same thing once in `SAME_SECONDS`: without its broker, a client of Kafka complains 500
    times a second. Faults with a traceback always pass, and so does what has not been said lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is to be written down. The same is: the same text before its values are put in."""
        said, now = (record.name, str(record.msg)), self._clock()
        if record.exc_info or now - self._told.get(said, -SAME_SECONDS) >= SAME_SECONDS:
            if len(self._told) >= TOLD_MAX:
                self._told.clear()
            self._told[said] = now
            return True
        return False


def configure(part: str) -> None:
    """Sets up structlog and the standard logging of this process. `part` stands in every line."""
    import structlog  # noqa: PLC0415 (it takes its time to import, and `silence` does without)

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    as_json = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, as_json],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(part=part)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, as_json],
        )
    )
    handler.addFilter(Sparing())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("cel").setLevel(logging.ERROR)  # it warns of what a verdict tells already


def silence() -> None:
    """Leaves the telling to the command itself: what libraries log is not shown."""
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)
