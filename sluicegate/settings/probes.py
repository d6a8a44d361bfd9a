"""Where the probes of a processor's worker listen, and where it writes the port it took."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sluicegate.names import PROCESSORS, Processor
from sluicegate.settings.addresses import split_address

if TYPE_CHECKING:
    from sluicegate.settings.model import Settings

_FILES: Final = {"masking": "processors"}


def probes_of(settings: "Settings", processor: Processor, worker: int) -> tuple[str, int]:
    """(host, port) of worker number `worker`, from 0: those of one processor in a row. Port 0: a free one."""
    block = settings.processors
    if not block.listen:
        return "127.0.0.1", 0
    host, port = split_address(block.listen)
    return host, port + PROCESSORS.index(processor) * block.workers + worker


def port_file(data_dir: Path, processor: Processor, worker: int) -> Path:
    """Where that worker writes the port of its probes."""
    return data_dir / "run" / f"{_FILES.get(processor, processor)}-{worker}.port"
