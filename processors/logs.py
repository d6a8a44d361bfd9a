"""Logs of a worker: one JSON object a line on standard error, and nothing of a record's content in it."""

import logging
import sys

import structlog

QUIET = ("faust", "mode", "aiokafka", "asyncio", "processors.strict")  # mode logs for its subclasses too


def configure_logs() -> None:
    """Set structlog and the standard library up, once a process. Libraries speak from WARNING on."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_exception_text,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _without_exception_text(
    _logger: structlog.typing.WrappedLogger, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Keep the type of an exception only: its text may quote a record."""
    info = event.pop("exc_info", None)
    if info:
        kind = info[0] if isinstance(info, tuple) else sys.exc_info()[0]
        event["error"] = kind.__name__ if kind else "unknown"
    return event
