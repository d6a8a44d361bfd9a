"""The configuration that the demo writes where there is none: two people, a policy, one connection."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sluicegate.settings import Settings
from sluicegate.settings.approvals_block import public_url

POLICY_FILE: Final = "demo-policy.yaml"
CONNECTION: Final = "demo"
HOST: Final = "127.0.0.1"
SERVER_PATH: Final = "/mcp"
CONFIG: Final = """\
# The demo: two people, a policy, one connection. `sluicegate check` tells what is wrong after a change.
data_dir: ./var
gateway: {listen: "127.0.0.1:8080"}
console: {listen: "127.0.0.1:8081"}
approvals: {listen: "127.0.0.1:8082"}   # where held calls are decided
kafka: {bootstrap: embedded}
clickhouse: {dsn: embedded}
identity:
  mode: oidc
  public_url: http://127.0.0.1:8080
  issuers:                              # the demo's own provider, started by `sluicegate demo` alone
    - {name: people, issuer: "http://127.0.0.1:9001", algorithms: [ES256]}
  session_tokens: {ttl_seconds: 900}
web:                                    # the console's pages, at the address of `approvals`
  login: {client_id: console}
  roles: {viewer: [developers], admin: [sre]}
connections:
  - name: demo
    upstream: http://127.0.0.1:9000/mcp
    owner: shop-operations
    labels: {env: prod}
    access: {groups: [sre, developers]}
    policy: ./demo-policy.yaml
"""
POLICY: Final = """\
# Who may do what on the demo's cluster. Change it while the demo runs: it is read again within a second.
default: allow
rules:
  - name: sre-operates
    doc: Who is on call may do everything. What is secret is masked for them too.
    when: "'sre' in principal.groups"
    allow: true
  - name: developers-change-nothing
    doc: Developers look, and leave changes to who is on call.
    when: tool.name in ['deployment_scale', 'rollout_restart', 'resources_delete']
    deny: "developers look and do not change; ask who is on call"
  - {pack: kubernetes, reviewers: [sre]}
"""


class DemoError(Exception):
    """The demo cannot go on. The message says why and what to do."""


def write_config(config: Path) -> list[Path]:
    """Writes the configuration to `config` and its policy beside it, each where there is none; what was written."""
    if config.exists():
        return []
    files = {config.parent / POLICY_FILE: POLICY, config: CONFIG}
    written = [file for file in files if not file.exists()]
    for file in written:
        file.write_text(files[file], encoding="utf-8")
    return written


def server_address(settings: Settings) -> tuple[str, int]:
    """(host, port) at which the configuration expects the demo's server. Raises DemoError."""
    found = next((block for block in settings.connections if block.name == CONNECTION), None)
    url = urlsplit(found.upstream or "") if found else None
    if url is None or url.hostname != HOST or url.scheme != "http" or url.path != SERVER_PATH:
        raise DemoError(
            f"the configuration has no connection `{CONNECTION}` for the demo's server; add to `connections`:\n"
            f'  - {{name: {CONNECTION}, kind: mcp, upstream: "http://127.0.0.1:9000{SERVER_PATH}"}}'
        )
    return HOST, url.port or 80


def provider_address(settings: Settings) -> tuple[str, int] | None:
    """(host, port) at which the configuration expects the demo's provider; None where nobody is asked who calls.

    Raises DemoError when somebody is asked, but nobody of the demo.
    """
    if settings.identity.mode == "none":
        return None
    for block in settings.identity.issuers:
        url = urlsplit(block.issuer)
        if (url.scheme, url.hostname, url.path) == ("http", HOST, "") and url.port:
            return HOST, url.port
    raise DemoError(
        "the configuration has no issuer for the people of the demo; run the demo with one of its own, "
        "`sluicegate demo --config demo.yaml`, or add to `identity.issuers`:\n"
        '  - {name: people, issuer: "http://127.0.0.1:9001", algorithms: [ES256]}'
    )


def gateway_url(settings: Settings) -> str:
    """Where an MCP client connects: as the gateway calls itself, since tokens are for that address."""
    root = settings.identity.public_url or f"http://{settings.gateway.listen}"
    return f"{root}/mcp/{CONNECTION}"


def console_url(settings: Settings) -> str:
    """Where people decide on held calls."""
    return public_url(settings.approvals)
