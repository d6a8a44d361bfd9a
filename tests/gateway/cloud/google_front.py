"""Google on loopback: token endpoint, STS, IAM credentials and metadata server, each under its name at Google.

It believes an assertion only with a good signature, audience and time, as Google does."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlsplit

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ACCOUNT = "gateway@prod-1.iam.gserviceaccount.com"
OTHER = "deployer@prod-2.iam.gserviceaccount.com"
POOL = "//iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/pool/providers/ci"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
IMPERSONATION = (
    f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"
)

Behaviour = Callable[[web.Request], Awaitable[web.Response | None]]


@dataclass
class GoogleFront:
    """`asked`: host and path of each question. `now` is its time; `life` of its tokens in seconds."""

    public: rsa.RSAPublicKey
    url: str = ""
    life: int = 3600
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    behave: Behaviour | None = None
    now: Callable[[], float] = time.time
    given: int = 0

    def moved(self, url: str) -> str:
        """Where it answers for Google."""
        parts = urlsplit(url)
        return f"{self.url}/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path.removeprefix("/"))
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        answered = await self.behave(request) if self.behave else None
        answered = answered or self._answered(request, form, await request.read())
        answered.headers["Date"] = format_datetime(datetime.fromtimestamp(self.now(), UTC), usegmt=True)
        return answered

    def _answered(self, request: web.Request, form: dict[str, str], body: bytes) -> web.Response:
        host, _, path = request.path.removeprefix("/").partition("/")
        match host:
            case "oauth2.googleapis.com":
                return self._for_assertion(form)
            case "sts.googleapis.com":
                return self._exchanged(form)
            case "iamcredentials.googleapis.com":
                return self._impersonated(request, json.loads(body))
            case "metadata.google.internal" if request.headers.get("Metadata-Flavor") == "Google":
                return self._metadata(path)
            case "idp.example":
                return web.json_response({"id_token": "of-the-idp"})
        return web.Response(status=404)

    def _for_assertion(self, form: dict[str, str]) -> web.Response:
        try:
            claims = jwt.decode(
                form["assertion"],
                self.public,
                ["RS256"],
                audience="https://oauth2.googleapis.com/token",
                options={"verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return web.json_response({"error": "invalid_grant", "error_description": "bad"}, status=400)
        if form["grant_type"] != JWT_GRANT or claims["iss"] != ACCOUNT:
            return web.json_response({"error": "invalid_client", "error_description": "who"}, status=401)
        if not claims["iat"] - 300 < self.now() < claims["exp"]:
            said = {"error": "invalid_grant", "error_description": "Invalid JWT: check your iat and exp"}
            return web.json_response(said, status=400)
        return self._token()

    def _exchanged(self, form: dict[str, str]) -> web.Response:
        if form["audience"] != POOL or form["subject_token"] not in ("of-the-file", "of-the-idp"):
            return web.json_response({"error": "invalid_target"}, status=400)
        return self._token()

    def _impersonated(self, request: web.Request, asked: dict[str, object]) -> web.Response:
        if not request.headers.get("Authorization", "").startswith("Bearer ya29."):
            said = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "not you"}}
            return web.json_response(said, status=403)
        if asked["scope"] != ["https://www.googleapis.com/auth/cloud-platform"]:
            return web.json_response({"error": {"code": 400, "status": "INVALID_ARGUMENT"}}, status=400)
        self.given += 1
        ends = datetime.fromtimestamp(self.now() + self.life, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        whose = request.path.rsplit("/", 1)[1].partition(":")[0].partition("@")[0]
        return web.json_response({"accessToken": f"ya29.{whose}-{self.given}", "expireTime": ends})

    def _metadata(self, path: str) -> web.Response:
        match path:
            case "computeMetadata/v1/instance/service-accounts/default/":
                return web.json_response({"email": ACCOUNT, "scopes": ["s"], "aliases": ["default"]})
            case "computeMetadata/v1/instance/service-accounts/default/token":
                return self._token()
            case "computeMetadata/v1/project/project-id":
                return web.Response(text="prod-1")
        return web.Response(status=404)

    def _token(self) -> web.Response:
        self.given += 1
        said = {"access_token": f"ya29.token-{self.given}", "expires_in": self.life, "token_type": "Bearer"}
        return web.json_response(said)


@dataclass
class GoogleKey:
    """Files that google-auth reads, in a folder."""

    folder: Path
    private: rsa.RSAPrivateKey

    def service_account(self) -> Path:
        """The key of a service account."""
        pem = self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return self._file(
            type="service_account",
            project_id="prod-1",
            private_key_id="k1",
            private_key=pem.decode(),
            client_email=ACCOUNT,
            token_uri="https://oauth2.googleapis.com/token",
        )

    def federation(self, source: dict[str, object], impersonation: str = "") -> Path:
        """Workload identity federation."""
        more = {"service_account_impersonation_url": impersonation} if impersonation else {}
        return self._file(
            type="external_account",
            audience=POOL,
            subject_token_type="urn:ietf:params:oauth:token-type:jwt",
            token_url="https://sts.googleapis.com/v1/token",
            credential_source=source,
            **more,
        )

    def _file(self, **info: object) -> Path:
        file = self.folder / "google.json"
        file.write_text(json.dumps(info))
        return file


@asynccontextmanager
async def google_front(public: rsa.RSAPublicKey) -> AsyncIterator[GoogleFront]:
    """Google that listens on a free port."""
    front = GoogleFront(public)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", front.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        host, port = runner.addresses[0][:2]
        front.url = f"http://{host}:{port}"
        yield front
    finally:
        await runner.cleanup()
