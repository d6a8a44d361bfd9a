"""What can go wrong on the way up. Every message says what happened, where, and what to do.

EmbeddedError
├── DataDirError          the data directory cannot be used
│   └── DataDirInUse      another process has it
├── PortInUse             somebody listens where a part has to
├── BrokerError           the embedded Kafka broker
│   ├── LockFileError     the lock file of the jars cannot be used
│   ├── DownloadError     a jar could not be fetched
│   ├── ChecksumError     a jar was fetched and is not the one that was locked
│   ├── JavaMissing       no Java runtime that is new enough
│   ├── FormatError       the storage could not be prepared
│   └── BrokerNotReady    the broker did not answer in time
├── PartFailed            a part ended or did not become ready at the first start
└── StopAsked             not a fault: a signal asked to stop while something was under way
"""

from __future__ import annotations


class EmbeddedError(Exception):
    """Anything that keeps the embedded stack from running."""


class DataDirError(EmbeddedError):
    """The data directory cannot be used as it is."""


class DataDirInUse(DataDirError):  # noqa: N818 - reads as the condition it reports
    """Another process holds the data directory."""


class PortInUse(EmbeddedError):  # noqa: N818 - reads as the condition it reports
    """A port that a part needs is taken."""


class BrokerError(EmbeddedError):
    """The embedded broker cannot be prepared or does not run."""


class LockFileError(BrokerError):
    """The lock file of the jars is missing or not understood."""


class DownloadError(BrokerError):
    """A jar could not be fetched."""


class ChecksumError(BrokerError):
    """A fetched jar is not the one that was locked."""


class JavaMissing(BrokerError):  # noqa: N818 - reads as the condition it reports
    """No Java runtime that is new enough was found."""


class FormatError(BrokerError):
    """The broker's storage directory could not be prepared."""


class BrokerNotReady(BrokerError):  # noqa: N818 - reads as the condition it reports
    """The broker did not answer a metadata request in time."""


class PartFailed(EmbeddedError):  # noqa: N818 - reads as the condition it reports
    """A part ended, or was not ready in time, when it was started for the first time."""


class StopAsked(EmbeddedError):  # noqa: N818 - reads as the condition it reports
    """A signal asked the stack to stop."""
