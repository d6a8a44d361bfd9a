"""`python -m tests.sql.clients`: the official JavaScript client and the JDBC driver; needs npm, Maven and Java 17."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import UUID, uuid4

from tests.sinks.filling import fill
from tests.sinks.records import Trail
from tests.sinks.shared_store import embedded_store
from tests.sql.serving import TOKEN, served

JAVASCRIPT = "@clickhouse/client@1.23.1"
JDBC = ("com.clickhouse:clickhouse-jdbc:0.9.4:jar:all", "org.slf4j:slf4j-api:2.0.17")
SESSION = UUID(int=0x5E55)
HERE = Path(__file__).parent


def run(*words: str, cwd: Path) -> str:
    """What it prints. Raises CalledProcessError, after what it said."""
    return subprocess.run(words, cwd=cwd, check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout


def fetched(folder: Path) -> str:
    """Both clients, below `folder`; gives the class path of the driver."""
    run("npm", "install", "--no-audit", "--no-fund", "--silent", JAVASCRIPT, cwd=folder)
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy"
    for jar in JDBC:
        run("mvn", "-q", "-B", goal, f"-Dartifact={jar}", f"-DoutputDirectory={folder}", cwd=folder)
    return os.pathsep.join(str(jar) for jar in folder.glob("*.jar"))


def main() -> None:
    """Serves a store and lets both ask it."""
    store = embedded_store()
    trail = Trail(lane=f"clients-{uuid4()}")
    for _ in range(20):
        trail.exchange(session_id=str(SESSION), principal_subject="ann")
    fill(store.client, trail.values)
    with tempfile.TemporaryDirectory() as name, served(store.address, fresh_s=600) as form:
        folder = Path(name)
        classes = fetched(folder)
        (folder / "client.mjs").write_text(
            (HERE / "client.mjs").read_text(encoding="utf-8"), encoding="utf-8"
        )
        asked = (TOKEN, str(SESSION))
        javascript = run("node", "client.mjs", form.url, *asked, cwd=folder)
        address = f"jdbc:clickhouse://127.0.0.1:{form.port}/audit"
        java = run("java", "-cp", classes, str(HERE / "Client.java"), address, *asked, cwd=folder)
    for client, said in (("JavaScript", javascript), ("JDBC", java)):
        print(f"{client}: {said.strip().splitlines()[-1]}")
    if not javascript.strip().endswith("ok") or not java.strip().endswith("ok"):
        sys.exit(1)


if __name__ == "__main__":
    main()
