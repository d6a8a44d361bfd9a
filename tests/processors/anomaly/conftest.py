"""A broker of these tests alone: the completeness check and others count what lies on the topics."""

from collections.abc import Iterator

import pytest

from schemas.kafka import KafkaAddress
from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.say import plain_say
from tests.support.broker import running


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaAddress]:
    """The address of a running broker."""
    broker = KafkaBroker(tmp_path_factory.mktemp("anomaly-kafka"), sync=False, heap_mb=256)
    broker.prepare(plain_say)
    with running(broker):
        yield KafkaAddress(broker.bootstrap, embedded=True)
