"""The Kafka cluster: how to reach it, the topics on it, and whether their settings are safe to record on."""

import ssl
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from schemas.clients import start_client
from schemas.topics import Topic, topics

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
TOMBSTONE_MS = 7 * 86_400_000  # a reader that was cut off for so long still learns what was taken back
MESSAGE_BYTES_MIN = 1_000_000  # Kafka's default for a topic is a little more


class KafkaUnsafeError(RuntimeError):
    """The topics could lose acknowledged records. The message names each setting and the value it needs."""


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """Where the cluster is and how to speak to it. `embedded`: one broker of ours, on this machine."""

    bootstrap: str
    embedded: bool = False
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "PLAIN"
    sasl_username: str | None = None
    sasl_password: str | None = None
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments for any aiokafka client. Raises OSError for an unreadable certificate."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password
        if self.security_protocol.endswith("SSL"):
            options["ssl_context"] = self.ssl_context()
        return options

    def ssl_context(self) -> ssl.SSLContext:
        """TLS towards the brokers, with our client certificate where one is given."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate_file:
            context.load_cert_chain(self.certificate_file, self.key_file)
        return context

    @property
    def replication_min(self) -> int:
        """Replicas that every topic must have at least."""
        return 1 if self.embedded else 3

    @property
    def in_sync_min(self) -> int:
        """Replicas that must hold a record before it counts as acknowledged."""
        return 1 if self.embedded else 2


async def ensure_topics(address: KafkaAddress) -> None:
    """Creates the topics that do not exist yet; leaves the others alone. Raises KafkaError."""
    admin = AIOKafkaAdminClient(**address.client_options())
    await start_client(admin)
    try:
        there = set(await admin.list_topics())
        missing = [_new_topic(topic, address) for topic in topics().values() if topic.name not in there]
        if missing:
            _raise_for(await admin.create_topics(missing))
    finally:
        await admin.close()


async def check_topics(address: KafkaAddress) -> dict[str, int]:
    """`max.message.bytes` by topic, when all are safe. Raises KafkaUnsafeError otherwise, KafkaError when away."""
    admin = AIOKafkaAdminClient(**address.client_options())
    await start_client(admin)
    try:
        names = list(topics())
        described = await admin.describe_topics(names)
        settings = await _topic_settings(admin, names)
    finally:
        await admin.close()
    faults = [fault for topic in described for fault in _faults(topic, settings, address)]
    if faults:
        raise KafkaUnsafeError("; ".join(faults))
    return {name: int(settings[name]["max.message.bytes"]) for name in names}


def _new_topic(topic: Topic, address: KafkaAddress) -> NewTopic:
    settings = {
        "retention.ms": str(topic.retention_ms),
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        "min.insync.replicas": str(address.in_sync_min),
        "unclean.leader.election.enable": "false",
        "message.timestamp.type": "CreateTime",
        "cleanup.policy": "compact" if topic.compacted else "delete",
    }
    if topic.compacted:
        settings["delete.retention.ms"] = str(TOMBSTONE_MS)
    return NewTopic(topic.name, topic.partitions, address.replication_min, topic_configs=settings)


def _raise_for(response: Any) -> None:
    for name, code, *rest in response.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise KafkaError(f"topic {name} could not be created: {rest[0] if rest else code}")


async def _topic_settings(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    responses = await admin.describe_configs(resources)
    found: dict[str, dict[str, str]] = {}
    for response in responses:
        for error_code, error_message, _kind, name, entries in response.resources:
            if error_code:
                raise KafkaUnsafeError(f"the settings of topic {name} cannot be read: {error_message}")
            found[name] = {entry[0]: entry[1] for entry in entries}
    return found


def _faults(topic: dict[str, Any], settings: dict[str, dict[str, str]], address: KafkaAddress) -> list[str]:
    name = topic["topic"]
    if topic["error_code"]:
        return [f"topic {name} does not exist or is not readable (error {topic['error_code']})"]
    faults = []
    replicas = min((len(part["replicas"]) for part in topic["partitions"]), default=0)
    if replicas < address.replication_min:
        faults.append(f"topic {name} has {replicas} replicas, needs at least {address.replication_min}")
    values = settings[name]
    if int(values["min.insync.replicas"]) < address.in_sync_min:
        faults.append(
            f"topic {name} has min.insync.replicas={values['min.insync.replicas']}, needs {address.in_sync_min}"
        )
    if int(values["max.message.bytes"]) < MESSAGE_BYTES_MIN:
        faults.append(
            f"topic {name} has max.message.bytes={values['max.message.bytes']}, needs {MESSAGE_BYTES_MIN} or more"
        )
    if values["unclean.leader.election.enable"] != "false":
        faults.append(
            f"topic {name} allows unclean leader election; set unclean.leader.election.enable=false"
        )
    if topics()[name].compacted:
        faults += _compaction_faults(name, len(topic["partitions"]), values["cleanup.policy"])
    return faults


def _compaction_faults(name: str, partitions: int, policy: str) -> list[str]:
    """A topic that holds state must forget nothing but what a later record replaced, and in one order."""
    faults = []
    if policy != "compact":
        faults.append(
            f"topic {name} has cleanup.policy={policy}, needs compact: it would forget what is in force"
        )
    if partitions != topics()[name].partitions:
        faults.append(f"topic {name} has {partitions} partitions, needs {topics()[name].partitions}")
    return faults
