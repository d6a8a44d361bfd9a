"""A time-stamping authority (RFC 3161): it signs that a note, as the bytes it has, was there at a time."""

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from processors.checkpoints.anchors.anchor import Anchored, AnchorError
from processors.checkpoints.anchors.http import post
from processors.checkpoints.opening import Claim
from schemas.checkpoints import AnchorKind, CheckpointRecord
from schemas.notes import VerifierKey

RESPONSE_BYTES_MAX = 256 * 1024
_HEAD = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


class TimeStampAnchor:
    """Asks for a stamp, and takes it only when it is for this note; with `ca_file`, when the authority vouches."""

    kind: AnchorKind = "rfc3161"

    def __init__(self, url: str, ca_file: Path | None, every_seconds: float) -> None:
        self.name = url
        self.every_seconds = every_seconds
        self._ca_file = ca_file

    async def put(self, record: CheckpointRecord) -> Anchored:
        """Raises AnchorError."""
        content = record["note"].encode()
        builder = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256)
        request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
        answer = await post(self.name, request.as_bytes(), _HEAD, RESPONSE_BYTES_MAX)
        if answer.status != 200:
            raise AnchorError(f"{self.name} answered {answer.status}")
        await asyncio.to_thread(self._check, answer.body, request, content)
        return Anchored(self.name, answer.body, record["note"])

    async def claims(self, origin: str, keys: Sequence[VerifierKey]) -> list[Claim]:
        """An authority keeps nothing."""
        del origin, keys
        return []

    def _check(self, answer: bytes, request: TimeStampRequest, content: bytes) -> None:
        try:
            response = decode_timestamp_response(answer)
        except ValueError as error:
            raise AnchorError(f"{self.name} answered with no time-stamp") from error
        if response.status not in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS):
            raise AnchorError(f"{self.name} refused: {' '.join(response.status_string) or response.status}")
        stamp = response.tst_info
        if (stamp.nonce, stamp.message_imprint.message) != (request.nonce, sha256(content).digest()):
            raise AnchorError(f"{self.name} gave a stamp for something else")
        if self._ca_file is not None:
            self._vouched(self._ca_file, response, content)

    def _vouched(self, ca_file: Path, response: TimeStampResponse, content: bytes) -> None:
        try:
            builder = VerifierBuilder()
            for certificate in x509.load_pem_x509_certificates(ca_file.read_bytes()):
                builder = builder.add_root_certificate(certificate)
            builder.build().verify_message(response, content)
        except OSError as error:
            raise AnchorError(f"{ca_file} cannot be read: {error.strerror}") from error
        except (VerificationError, ValueError) as error:
            raise AnchorError(f"{self.name} gave a stamp that does not verify: {error}") from error
