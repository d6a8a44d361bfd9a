"""Where parts of an export are put: a folder, or a bucket. A part is whole or not there; a repeat puts it again."""

import asyncio
import os
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


class PlaceError(RuntimeError):
    """A part could not be put. The text says where and why."""


class Shelf(Protocol):
    """Takes parts by name."""

    async def put(self, name: str, content: bytes) -> None:
        """Returns once the part is there for good. Raises PlaceError."""
        ...


class Folder:
    """Files below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, name: str, content: bytes) -> None:
        """See Shelf: synced to disk under another name first."""
        try:
            await asyncio.to_thread(self._put, name, content)
        except OSError as exc:
            raise PlaceError(f"{self._root / name} cannot be written: {exc.strerror or exc}") from exc

    def _put(self, name: str, content: bytes) -> None:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with draft.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)


class Bucket:
    """Objects of an S3-compatible store, `s3://BUCKET/PREFIX`. Who we are is said by the environment, as AWS's own
    tools have it; `endpoint_url` for a store that is not AWS's."""

    def __init__(self, url: str, endpoint_url: str = "") -> None:
        parts = urlsplit(url)
        self._bucket, self._prefix = parts.netloc, parts.path.strip("/")
        options = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 4, "mode": "standard"})
        self._client = botocore.session.get_session().create_client(
            "s3", endpoint_url=endpoint_url or None, config=options
        )

    async def put(self, name: str, content: bytes) -> None:
        """See Shelf."""
        key = f"{self._prefix}/{name}" if self._prefix else name
        try:
            await asyncio.to_thread(self._client.put_object, Bucket=self._bucket, Key=key, Body=content)
        except (BotoCoreError, ClientError) as exc:
            raise PlaceError(f"s3://{self._bucket}/{key} cannot be written: {exc}") from exc
