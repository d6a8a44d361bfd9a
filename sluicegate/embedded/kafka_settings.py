"""What the embedded broker is told: one node that is broker and controller, on loopback only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sluicegate.embedded.java import Java
from sluicegate.embedded.ports import LOOPBACK

MIB = 1024 * 1024
MESSAGE_BYTES_MAX = 17 * MIB  # a frame's part of 16 MiB, its envelope, and room to spare

SAFETY = {
    "auto.create.topics.enable": "false",
    "unclean.leader.election.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
}
SIZES = {
    "message.max.bytes": MESSAGE_BYTES_MAX,
    "replica.fetch.max.bytes": MESSAGE_BYTES_MAX,
    "log.segment.bytes": 256 * MIB,
    "log.index.size.max.bytes": MIB,  # enough for such a segment; the default reserves 10 MiB each
    "log.cleaner.dedupe.buffer.size": 16 * MIB,  # of the heap; the default takes 128 MiB of it
    "offsets.topic.segment.bytes": 16 * MIB,
    "num.network.threads": 2,
    "num.io.threads": 8,  # each may wait for the disk
    "background.threads": 4,
}
GROUPS = {
    "offsets.topic.num.partitions": 8,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "group.coordinator.threads": 1,
}
LIVENESS = {
    # After kill -9 the controller refuses the broker's new registration until the old session has run out:
    # with the default of 9 s a restart takes 12 s.
    "broker.session.timeout.ms": 2_500,
    "broker.heartbeat.interval.ms": 500,
    "metadata.max.idle.interval.ms": 5_000,  # the default writes and syncs twice a second when idle
}


def properties(data: Path, port: int, controller_port: int, *, sync: bool) -> str:
    """The text of `server.properties`.

    `sync` makes the broker sync to disk before it acknowledges: with one broker nothing else survives a
    power cut. Without it an acknowledged record survives kill -9 of the broker only.
    """
    listeners = {"BROKER": f"{LOOPBACK}:{port}", "CONTROLLER": f"{LOOPBACK}:{controller_port}"}
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{listeners['CONTROLLER']}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "BROKER",
        "listeners": ",".join(f"{name}://{address}" for name, address in listeners.items()),
        "advertised.listeners": f"BROKER://{listeners['BROKER']}",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        "metric.reporters": "",
        **SAFETY,
        **SIZES,
        **GROUPS,
        **LIVENESS,
    }
    if sync:
        settings["log.flush.interval.messages"] = 1
    return "".join(f"{key}={_escaped(value)}\n" for key, value in settings.items())


def _escaped(value: object) -> str:
    """A Java properties value: backslashes doubled, what is not Latin-1 as \\uXXXX (UTF-16 units)."""
    text = str(value).replace("\\", "\\\\")
    units = text.encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(code) if 32 <= code < 127 else f"\\u{code:04x}" for code in codes)


def java_flags(java: Java, home: Path, heap_mb: int) -> list[str]:
    """Flags for the Java runtime: little memory, one collector thread, warnings on standard error."""
    flags = [
        f"-Xmx{heap_mb}m",
        "-Xms64m",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",  # a broker without memory is restarted, not kept half alive
        "-XX:-UsePerfData",
        f"-XX:ErrorFile={home / 'java-crash-%p.log'}",
        "-Djava.awt.headless=true",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "-Dorg.slf4j.simpleLogger.showShortLogName=true",
    ]
    if java.version >= 24:
        flags += ["--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"]
    return flags


def java_environment(outer: Mapping[str, str]) -> dict[str, str]:
    """The broker's environment: only what a Java process needs, so that no JAVA_TOOL_OPTIONS gets in."""
    kept = {name: outer[name] for name in ("PATH", "HOME", "LANG", "TZ", "TMPDIR") if name in outer}
    return kept | {"MALLOC_ARENA_MAX": "2"}
