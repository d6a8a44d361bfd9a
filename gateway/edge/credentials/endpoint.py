"""One bounded POST to a provider's token endpoint: no redirects, no compression, no proxy, no more than a limit."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from gateway.edge.credentials.injector import CredentialError
from gateway.edge.credentials.secret import Secret
from gateway.edge.credentials.token import Token, token_of
from gateway.edge.identity.strictjson import strict_object
from gateway.edge.tls import ClientTls
from gateway.settings import ClientCredentials, TokenExchange, UpstreamTls

ANSWER_BYTES_MAX = 256 * 1024
ANSWER_SECONDS = 10.0
ASKED_AT_ONCE_MAX = 16
_ERROR = re.compile(r"[a-z_]{1,40}")


class TokenEndpoint:
    """Asks one provider, as one client (RFC 6749, 2.3.1: client_secret_basic)."""

    def __init__(
        self, credential: ClientCredentials | TokenExchange, secret: Secret, seconds: float = ANSWER_SECONDS
    ) -> None:
        self._url = credential.token_url
        self._client_id = credential.client_id
        self._secret = secret
        self._seconds = seconds
        secure = self._url.startswith("https:")
        self._tls = ClientTls(UpstreamTls(ca_file=credential.ca_file)) if secure else None
        if self._tls:
            self._tls.prepare()
        self._places = asyncio.Semaphore(ASKED_AT_ONCE_MAX)

    async def ask(self, form: Mapping[str, str]) -> Token:
        """The token that `form` asks for. Raises CredentialError."""
        try:
            async with asyncio.timeout(self._seconds), self._places:
                return await self._ask(form)
        except TimeoutError:
            raise CredentialError("the provider of tokens did not answer in time") from None
        except (ClientError, OSError) as error:
            raise CredentialError(
                f"the provider of tokens cannot be reached ({type(error).__name__})"
            ) from None
        except ValueError:
            raise CredentialError("the provider of tokens did not answer with a JSON object") from None

    async def _ask(self, form: Mapping[str, str]) -> Token:
        headers = {
            "Authorization": self._authorization(),
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        connector = TCPConnector(ssl=self._tls.context() if self._tls else True)
        timeout = ClientTimeout(total=self._seconds)
        async with (
            ClientSession(
                connector=connector, timeout=timeout, cookie_jar=DummyCookieJar(), auto_decompress=False
            ) as session,
            session.post(self._url, data=dict(form), headers=headers, allow_redirects=False) as response,
        ):
            return token_of(await _answer(response))

    def _authorization(self) -> str:
        pair = f"{quote_plus(self._client_id)}:{quote_plus(self._secret.text())}"
        return "Basic " + b64encode(pair.encode("ascii")).decode("ascii")


async def _answer(response: ClientResponse) -> dict[str, Any]:
    """The object that the provider gave; of a refusal only its code is told, when it is one."""
    if response.status in (200, 400, 401) and "Content-Encoding" not in response.headers:
        body = await _body(response)
        if response.status == 200:
            return strict_object(body)
        raise CredentialError(f"the provider of tokens refused: {_code(body)}")
    raise CredentialError(f"the provider of tokens answered with status {response.status}")


async def _body(response: ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise CredentialError(f"the provider of tokens answered with more than {ANSWER_BYTES_MAX} bytes")
    return bytes(body)


def _code(body: bytes) -> str:
    try:
        code = strict_object(body).get("error")
    except ValueError:
        return "it did not say why"
    return code if isinstance(code, str) and _ERROR.fullmatch(code) else "it did not say why"
