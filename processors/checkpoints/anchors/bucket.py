"""An S3 bucket with object lock: an object a note, which nobody can delete or replace before its time."""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from processors.checkpoints.anchors.anchor import Anchored, AnchorError
from processors.checkpoints.book import claim_of
from processors.checkpoints.opening import Claim
from processors.checkpoints.settings import BucketAnchor as Settings
from schemas.checkpoints import AnchorKind, CheckpointRecord
from schemas.notes import VerifierKey

_PATIENCE = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
_SIZE_MAX = (1 << 63) - 1
NOTE_BYTES_MAX = 1_000_000
_Told = TypeVar("_Told")


class BucketAnchor:
    """Puts notes under `PREFIX ORIGIN / INVERTED SIZE - SIZE .note`: a listing begins with the largest tree."""

    kind: AnchorKind = "s3"

    def __init__(self, settings: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.name = f"s3://{settings.bucket}/{settings.prefix}"
        self.every_seconds = settings.every_seconds
        self._settings = settings
        self._now = now
        self._client: Any = None

    async def put(self, record: CheckpointRecord) -> Anchored:
        """Raises AnchorError; also where the bucket does not say until when it keeps the object."""
        return await self._asked(lambda client: self._put(client, record))

    async def claims(self, origin: str, keys: Sequence[VerifierKey]) -> list[Claim]:
        """Raises AnchorError."""
        note = await self._asked(lambda client: self._newest(client, origin))
        claim = claim_of(note, list(keys), self.name) if note else None
        return [claim] if claim else []

    async def _asked(self, ask: Callable[[Any], _Told]) -> _Told:
        def call() -> _Told:
            if self._client is None:
                settings = self._settings
                self._client = Session().create_client(
                    "s3",
                    region_name=settings.region or None,
                    endpoint_url=settings.endpoint or None,
                    config=_PATIENCE,
                )
            return ask(self._client)

        try:
            return await asyncio.to_thread(call)
        except ClientError as error:
            raise AnchorError(f"{self.name}: {error.response['Error'].get('Code', 'refused')}") from error
        except BotoCoreError as error:
            raise AnchorError(f"{self.name}: {type(error).__name__}") from error

    def _put(self, client: Any, record: CheckpointRecord) -> Anchored:
        settings, size = self._settings, record["tree_size"]
        key = f"{self._folder(record['origin'])}{_SIZE_MAX - size:019d}-{size}.note"
        until = (self._now() + timedelta(days=settings.retain_days)).replace(microsecond=0)
        told = client.put_object(
            Bucket=settings.bucket,
            Key=key,
            Body=record["note"].encode(),
            ContentType="text/plain; charset=utf-8",
            ObjectLockMode=settings.mode,
            ObjectLockRetainUntilDate=until,
            ChecksumAlgorithm="SHA256",
        )
        version = str(told.get("VersionId", ""))
        if not version:
            raise AnchorError(f"{self.name} keeps no versions; make the bucket with object lock")
        kept = client.head_object(Bucket=settings.bucket, Key=key, VersionId=version)
        if "ObjectLockRetainUntilDate" not in kept:
            raise AnchorError(f"{self.name} does not say until when it keeps an object")
        evidence = {
            "key": key,
            "version": version,
            "mode": str(kept["ObjectLockMode"]),
            "retain_until": kept["ObjectLockRetainUntilDate"].astimezone(UTC).isoformat(),
        }
        return Anchored(f"s3://{settings.bucket}/{key}", json.dumps(evidence).encode(), record["note"])

    def _newest(self, client: Any, origin: str) -> str:
        folder, bucket = self._folder(origin), self._settings.bucket
        listed = client.list_objects_v2(Bucket=bucket, Prefix=folder, MaxKeys=1)
        keys = [entry["Key"] for entry in listed.get("Contents", ())]
        if not keys:
            return ""
        content: bytes = client.get_object(Bucket=bucket, Key=keys[0])["Body"].read(NOTE_BYTES_MAX)
        return content.decode("utf-8", "replace")

    def _folder(self, origin: str) -> str:
        return f"{self._settings.prefix}{origin}/"
