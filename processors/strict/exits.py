"""The one way to give up: end the process at once, so that nothing unfinished can be committed."""

import logging
import os
from typing import NoReturn

import structlog

RESTART_CODE = 75  # EX_TEMPFAIL of sysexits.h: "try again", which is what the supervisor does


def exit_for_restart(reason: str) -> NoReturn:
    """End the process with code 75 without any clean-up. `reason` goes to the log; no record content in it.

    Skipping the clean-up is the point: a polite stop would commit, and what is unfinished must stay uncommitted.
    """
    structlog.get_logger(__name__).critical("processor_restarts", reason=reason)
    logging.shutdown()
    os._exit(RESTART_CODE)
