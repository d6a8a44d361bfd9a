"""Kinds of secrets as they stand in texts, and the wrappings they come in. Tests and the matrix in the
docs use both.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import random
import string
from collections.abc import Callable
from urllib.parse import quote

import yaml

Kind = Callable[[str], str]
Wrapping = Callable[[str], str]


def made(seed: object, size: int = 24, alphabet: str = string.ascii_letters + string.digits) -> str:
    """A secret as a generator makes it: digits among letters, the same for the same seed."""
    dice = random.Random(f"{seed}")
    middle = "".join(dice.choice(alphabet) for _ in range(size - 4))
    return f"Zq{middle}7x"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def pem(secret: str) -> str:
    body = b64(secret * 4)
    return f"-----BEGIN PRIVATE KEY-----\n{body[:64]}\n{body[64:]}\n-----END PRIVATE KEY-----\n"


def secret_json(secret: str) -> str:
    return json.dumps({"kind": "Secret", "metadata": {"name": "x"}, "data": {"anything": b64(secret)}})


def secret_list(secret: str) -> str:
    return json.dumps({"kind": "SecretList", "items": [{"metadata": {}, "stringData": {"anything": secret}}]})


def last_applied(secret: str) -> str:
    manifest = json.dumps({"kind": "Secret", "stringData": {"anything": secret}})
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": manifest}
    return json.dumps(
        {"kind": "Secret", "metadata": {"annotations": annotations}, "data": {"a": b64(secret)}}
    )


def helm_release(secret: str) -> str:
    packed = base64.b64encode(gzip.compress(json.dumps({"config": {"password": secret}}).encode(), mtime=0))
    return json.dumps({"kind": "ConfigMap", "data": {"release": base64.b64encode(packed).decode()}})


KINDS: dict[str, Kind] = {
    "Kubernetes Secret (JSON)": secret_json,
    "Kubernetes Secret (YAML)": lambda s: (
        f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\nstringData:\n  any: {s}\n"
    ),
    "SecretList": secret_list,
    "last-applied annotation": last_applied,
    "container env": lambda s: json.dumps({"env": [{"name": "DB_PASSWORD", "value": s}]}, indent=1),
    "container env (YAML)": lambda s: f"env:\n- name: DB_PASSWORD\n  value: {s}\n",
    "kubectl describe": lambda s: (
        f"    Environment:\n      LOG_LEVEL:  info\n      DB_PASSWORD:  {s}\n    Mounts:\n"
    ),
    "Helm release": helm_release,
    "dotenv": lambda s: f"APP_ENV=prod\nDB_PASSWORD={s}\nWORKERS=4\n",
    "properties": lambda s: f"spring.datasource.username=app\nspring.datasource.password={s}\n",
    "INI": lambda s: f"[client]\nuser = app\npassword = {s}\n",
    "XML": lambda s: f"<config><user>app</user><password>{s}</password></config>",
    "kubeconfig token": lambda s: f"users:\n- name: admin\n  user:\n    token: {s}\n",
    "docker config": lambda s: json.dumps({"auths": {"ghcr.io": {"auth": b64("app:" + s)}}}),
    "connection string": lambda s: f"Server=db;Database=app;User ID=sa;Password={s};Encrypt=True;",
    "URL credentials": lambda s: f"postgres://app:{s}@db.prod.svc:5432/app",
    "authorization header": lambda s: f"GET / HTTP/1.1\nAuthorization: Bearer {s}\n",
    "basic authorization": lambda s: f"Authorization: Basic {b64('app:' + s)}\n",
    "cookie": lambda s: f"Set-Cookie: session_id={s}; Path=/; HttpOnly\n",
    "query": lambda s: f"GET /v1/items?page=2&token={s}&sort=asc HTTP/1.1",
    "presigned URL": lambda s: f"https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature={s}",
    "flag": lambda s: f"app --user admin --password {s} --verbose",
    "SQL": lambda s: f"CREATE USER app IDENTIFIED BY '{s}';",
    "private key": pem,
    "AWS STS": lambda s: json.dumps(
        {"Credentials": {"SecretAccessKey": (s * 2)[:40], "SessionToken": s * 4}}
    ),
    "Terraform state": lambda s: json.dumps(
        {"resources": [{"instances": [{"attributes": {"master_password": s}}]}]}
    ),
    "source code": lambda s: f'const apiKey = "{s}";',
    "vendor token": lambda s: "ghp_" + (s * 2)[:36],
}
"""From a secret to a text that holds it."""


def yaml_block(text: str) -> str:
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    return f"apiVersion: v1\nkind: ConfigMap\ndata:\n  content: |\n{lines}"


WRAPPINGS: dict[str, Wrapping] = {
    "as it is": lambda text: text,
    "JSON string": lambda text: json.dumps({"content": [{"type": "text", "text": text}], "isError": False}),
    "JSON in JSON": lambda text: json.dumps({"output": json.dumps({"text": text}), "exit_code": 0}),
    "\\u escapes": lambda text: '{"msg":"' + "".join(f"\\u{ord(c):04x}" for c in text) + '"}',
    "YAML block": yaml_block,
    "YAML quoted": lambda text: yaml.safe_dump({"content": text}, default_style='"', width=100_000),
    "base64": lambda text: f'{{"blob": "{b64(text)}"}}',
    "base64 of gzip": lambda text: (
        f"blob: {base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()}\n"
    ),
    "SSE event": lambda text: "event: message\ndata: " + json.dumps({"text": text}) + "\n\n",
    "percent-encoded": lambda text: f"https://api.example.org/q?body={quote(text, safe='')}",
    "XML entities": lambda text: f"<message>{html.escape(text)}</message>",
    "error message": lambda text: json.dumps({"error": {"code": -32000, "message": f"failed: {text}"}}),
    "object key": lambda text: json.dumps({text: 1}),
    "log line": lambda text: f"2026-11-01T10:00:00Z ERROR upstream said: {text}",
}
