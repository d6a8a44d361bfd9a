"""Sealed originals: what was masked can be opened by the holder of a key that the gateway has not."""

from __future__ import annotations

import asyncio
import json

from aiokafka import AIOKafkaConsumer
from pyrage import x25519  # type: ignore[import-untyped]

from gateway.settings import Sealing
from masking.sealed import unseal
from schemas.codec import codec
from tests.gateway.callers.conftest import CALL, Callers, Open

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"[:36]


async def test_a_masked_body_is_kept_sealed_and_only_where_the_connection_says_so(
    desk: Open, callers: Callers
) -> None:
    key = x25519.Identity.generate()
    asked = {**CALL, "params": {"name": "login", "arguments": {"token": SECRET}}}
    async with desk(sealed=Sealing(str(key.to_public()), 1)) as gate:
        await gate.ask(callers.headers("alice"), asked)
        frame, _ = await gate.last_frames(2)
        consumer = AIOKafkaConsumer(
            "sealed", bootstrap_servers=gate.kafka.bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            async with asyncio.timeout(30):
                async for record in consumer:
                    kept = codec("sealed").decode(record.value)
                    if str(kept["frame_id"]) == str(frame["frame_id"]):
                        break
        finally:
            await consumer.stop()
    assert SECRET.encode() not in frame["body"]
    assert json.loads(unseal(kept["ciphertext"], [key])) == asked
