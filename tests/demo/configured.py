"""The demo's configuration in a folder of a test."""

from pathlib import Path

from sluicegate.demo.config import CONFIG, POLICY, POLICY_FILE
from sluicegate.settings import Settings, load


def settings(folder: Path, text: str = CONFIG) -> Settings:
    """The settings in `text`, with the demo's policy beside it."""
    (folder / POLICY_FILE).write_text(POLICY)
    file = folder / "sluicegate.yaml"
    file.write_text(text)
    return load(file, files=True)
