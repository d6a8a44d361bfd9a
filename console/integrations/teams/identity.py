"""Whether an activity comes from the Bot Connector: a JWT of its issuer, for this bot, signed with a key that is
endorsed for Teams, and for the service that the activity names."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import structlog
from yarl import URL

from console.integrations.reading import items, text
from console.integrations.settings import TeamsBot
from console.integrations.signing import Unauthentic
from gateway.edge.identity.addresses import expected_at
from gateway.edge.identity.fetch import FetchError, fetch_object, origin_of
from gateway.edge.identity.keys import KeySet, usable_keys

CHANNEL = "msteams"
ALGORITHM = "RS256"
LEEWAY_SECONDS = 300
FRESH_SECONDS = 86_400.0
STALE_SECONDS = 5 * 86_400.0  # "may be cached for 5 days", when no newer ones can be had
COOLDOWN_SECONDS = 30.0
TOKEN_CHARACTERS_MAX = 16_384

log = structlog.get_logger("integrations")


class ConnectorKeys:
    """The Connector's keys and what each is endorsed for; read again daily, and for a key that is not known."""

    def __init__(self, openid_url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = openid_url
        self._clock = clock
        self._keys: KeySet = {}
        self._endorsed: Mapping[str, tuple[str, ...]] = {}
        self._read_at = self._tried_at = float("-inf")
        self._reading = asyncio.Lock()

    async def find(self, key_id: str) -> jwt.PyJWK:
        """A key that is endorsed for Teams. Raises Unauthentic."""
        await self._refresh(known=(key_id, ALGORITHM) in self._keys)
        key = self._keys.get((key_id, ALGORITHM))
        if key is None or not key_id or self._clock() > self._read_at + STALE_SECONDS:
            raise Unauthentic("it is signed with a key that is not known")
        if CHANNEL not in self._endorsed.get(key_id, ()):
            raise Unauthentic("its key is not endorsed for Teams")
        return key

    async def _refresh(self, *, known: bool) -> None:
        async with self._reading:
            now = self._clock()
            fresh = known and now < self._read_at + FRESH_SECONDS
            if fresh or now < self._tried_at + COOLDOWN_SECONDS:
                return
            self._tried_at = now
            try:
                await self._read()
            except (FetchError, ValueError) as error:
                log.warning("teams_keys_unavailable", reason=str(error))
            else:
                self._read_at = now

    async def _read(self) -> None:
        keys_url = text(await _fetched(self._url), "jwks_uri")
        if origin_of(keys_url, loopback_http=True) != origin_of(self._url, loopback_http=True):
            raise FetchError("the keys lie at another place than the metadata")
        document = await _fetched(keys_url)
        self._keys = usable_keys(document, [ALGORITHM])
        self._endorsed = {
            text(key, "kid"): tuple(each for each in items(key, "endorsements") if isinstance(each, str))
            for key in document["keys"]
        }


class ConnectorIdentity:
    """Checks the token of a request against the activity in it."""

    def __init__(self, settings: TeamsBot, keys: ConnectorKeys) -> None:
        self._settings = settings
        self._keys = keys

    async def verify(self, authorization: str, activity: Any) -> None:
        """Raises Unauthentic for whatever is not from the Connector to this bot about Teams."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= TOKEN_CHARACTERS_MAX:
            raise Unauthentic("there is no bearer token")
        if text(activity, "channelId") != CHANNEL:
            raise Unauthentic("the activity is not of Teams")
        claims = await self._claims(token)
        named = [value for name, value in claims.items() if name.lower() == "serviceurl"]
        if not named or named != [text(activity, "serviceUrl")]:
            raise Unauthentic("the token is for another service")

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            key_id = jwt.get_unverified_header(token).get("kid", "")
            key = await self._keys.find(key_id if isinstance(key_id, str) else "")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._settings.app_id,
                issuer=self._settings.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWTError as error:
            raise Unauthentic(f"the token is not good ({type(error).__name__})") from None
        return claims


async def _fetched(url: str) -> dict[str, Any]:
    origin_of(url, loopback_http=True)
    return (await fetch_object(url, expected_at(URL(url).host or ""), None)).document
