"""Logs of the long-running parts: one JSON object a line on standard error, ours and those of libraries alike."""

import logging
import sys


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
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("cel").setLevel(logging.ERROR)  # it warns of what a verdict tells already


def silence() -> None:
    """Leaves the telling to the command itself: what libraries log is not shown."""
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)
