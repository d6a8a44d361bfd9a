"""A time-stamping authority on loopback: OpenSSL makes real stamps (CMS), a small server hands them out."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

CONFIG = """
[ req ]
distinguished_name = name
[ name ]
[ ca ]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[ tsa ]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ stamp ]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """Keys, certificates and the answers of one authority; `wrong` makes it answer another question."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.ca = folder / "ca.pem"
        self.wrong = False
        (folder / "config").write_text(CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        self._made("ca", "/CN=Root of time", "-x509", "-extensions", "ca", "-out", "ca.pem", "-days", "2")
        self._made("tsa", "/CN=Time", "-out", "tsa.csr")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extensions", "tsa")
        self._run("x509", "-req", "-in", "tsa.csr", *signed, "-extfile", "config", "-out", "tsa.pem")

    def _made(self, name: str, subject: str, *words: str) -> None:
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key")
        self._run("req", "-new", *key, "-config", "config", "-subj", subject, *words)

    def answer(self, query: bytes) -> bytes:
        """The DER answer to a DER question."""
        (self.folder / "query").write_bytes(query)
        if self.wrong:
            (self.folder / "else").write_bytes(b"something else")
            self._run("ts", "-query", "-data", "else", "-sha256", "-cert", "-out", "query")
        self._run(
            "ts", "-reply", "-queryfile", "query", "-config", "config", "-section", "stamp", "-out", "reply"
        )
        return (self.folder / "reply").read_bytes()

    def verifies(self, content: bytes, answer: bytes) -> bool:
        """Whether OpenSSL takes the stamp for `content`."""
        (self.folder / "content").write_bytes(content)
        (self.folder / "given").write_bytes(answer)
        words = ("ts", "-verify", "-data", "content", "-in", "given", "-CAfile", "ca.pem")
        return self._run(*words, check=False) == 0

    def _run(self, *words: str, check: bool = True) -> int:
        done = subprocess.run(
            ["openssl", *words], cwd=self.folder, check=check, capture_output=True, timeout=30
        )
        return done.returncode


@asynccontextmanager
async def serving(authority: Authority) -> AsyncIterator[str]:
    """Its URL."""

    async def stamp(request: web.Request) -> web.Response:
        assert request.content_type == "application/timestamp-query"
        body = await asyncio.to_thread(authority.answer, await request.read())
        return web.Response(body=body, content_type="application/timestamp-reply")

    app = web.Application()
    app.router.add_post("/tsa", stamp)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0]
        yield f"http://{host}:{port}/tsa"
    finally:
        await runner.cleanup()
