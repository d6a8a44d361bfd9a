"""Renew the lock file: `python -m sluicegate.embedded.relock [VERSION]`.

For maintainers. It resolves the broker with all that it needs and writes down what was found; the
difference is for review. Run the whole test suite and the fault runs after a change.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jgo.maven import MavenContext

from sluicegate.embedded.lock import LOCK_FILE, JarLock, LockedJar, lock_text, read_lock

LOG_BINDING = "org.slf4j:slf4j-simple:1.7.36"  # of the slf4j that the broker is built with


def relock(version: str, scratch: Path) -> JarLock:
    """Resolve broker `version` into `scratch` and describe what came.

    Raises whatever the resolver raises: this is a maintainer's tool, and its trace is the report.
    """
    context = MavenContext(repo_cache=scratch, local_repos=[], timeout=60)
    wanted = [context.create_dependency(f"org.apache.kafka:kafka_2.13:{version}")]
    own, others = context.resolver.resolve(wanted)
    artifacts = [dependency.artifact for dependency in (*own, *others)]
    artifacts.append(context.create_dependency(LOG_BINDING).artifact)
    return JarLock(kafka=version, jars=tuple(sorted(map(_locked, artifacts), key=lambda j: j.coordinate)))


def _locked(artifact: Any) -> LockedJar:
    if artifact.classifier or artifact.packaging != "jar":
        raise ValueError(f"{artifact} is not a plain jar; the lock file has no word for it")
    content = Path(artifact.resolve()).read_bytes()
    coordinate = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
    return LockedJar(coordinate, len(content), hashlib.sha256(content).hexdigest())


def main() -> None:
    """Write the lock file anew, for the version given or the one locked before."""
    version = sys.argv[1] if len(sys.argv) > 1 else read_lock().kafka
    with TemporaryDirectory() as scratch:
        lock = relock(version, Path(scratch))
    LOCK_FILE.write_text(lock_text(lock), encoding="utf-8")
    print(f"{LOCK_FILE.name}: Kafka {lock.kafka}, {len(lock.jars)} jars, {lock.size_bytes / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
