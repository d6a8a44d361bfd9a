"""What processes print, and the secrets in it."""

from dataclasses import dataclass

KEY = b"\n".join(
    [
        b"-----BEGIN RSA PRIVATE KEY-----",
        b"MIIEpAIBAAKCAQEA7bq1w0b1m9Zk0Jz0m8vQ2xW7o3pRtUvYzAbCdEfGhIjKlMnOp",
        b"QrStUvWxYz0123456789abcdefghijklMNOPQRSTUVWXYZabcdefghijklmnopqrs",
        b"-----END RSA PRIVATE KEY-----",
        b"",
    ]
)


@dataclass(frozen=True)
class Printed:
    """A text, and what of it nobody may see."""

    name: str
    text: bytes
    secrets: tuple[bytes, ...]


ENVIRONMENT = Printed(
    "env",
    b"HOME=/root\nDB_PASSWORD=hunter2xyzzy\nAWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYzKqLmNvTz3\nPWD=/\n",
    (b"hunter2xyzzy", b"wJalrXUtnFEMIK7MDENGbPxRfiCYzKqLmNvTz3"),
)
TOKEN = Printed(
    "token",
    b"remote: https://x:ghp_9fK2mQ7vR4tY8wZ1aB3cD5eF6gH0jL2nP4qS@example.com/r.git (fetch)\r\n",
    (b"ghp_9fK2mQ7vR4tY8wZ1aB3cD5eF6gH0jL2nP4qS",),
)
ACCESS_KEY = Printed("access key", b"id AKIAIOSFODNN7TQBCDEF created\n", (b"AKIAIOSFODNN7TQBCDEF",))
PRIVATE_KEY = Printed(
    "private key", b"before\n" + KEY + b"after\n", (KEY.splitlines()[1], KEY.splitlines()[2])
)
SECRET_YAML = Printed(
    "Secret as YAML",
    b"apiVersion: v1\ndata:\n  password: aHVudGVyMnh5eg==\n  user: YWRtaW5pc3RyYXRvcg==\nkind: Secret\n"
    b"metadata:\n  name: db\n  namespace: prod\ntype: Opaque\n",
    (b"aHVudGVyMnh5eg==", b"YWRtaW5pc3RyYXRvcg=="),
)
SECRETS_YAML = Printed(
    "Secrets as a YAML list",
    b"apiVersion: v1\nitems:\n"
    b"- apiVersion: v1\n  data:\n    a: aHVudGVyMnh5eg==\n  kind: Secret\n  metadata:\n    name: x\n"
    b"- apiVersion: v1\n  data:\n    b: YWRtaW5pc3RyYXRvcg==\n  kind: Secret\n"
    b"kind: List\nmetadata:\n  resourceVersion: ''\n",
    (b"aHVudGVyMnh5eg==", b"YWRtaW5pc3RyYXRvcg=="),
)
SECRET_JSON = Printed(
    "Secret as JSON",
    b'{\n    "apiVersion": "v1",\n    "data": {\n        "password": "aHVudGVyMnh5eg==",\n'
    b'        "user": "YWRtaW5pc3RyYXRvcg=="\n    },\n    "kind": "Secret",\n    "metadata": {"name": "db"}\n}\n',
    (b"aHVudGVyMnh5eg==", b"YWRtaW5pc3RyYXRvcg=="),
)
SECRET_RAW = Printed(
    "Secret as the API server writes it",
    b'{"kind":"Secret","apiVersion":"v1","metadata":{"name":"db","uid":"7"},"data":{"password":"aHVudGVyMnh5eg==",'
    b'"user":"YWRtaW5pc3RyYXRvcg=="},"type":"Opaque"}\n',
    (b"aHVudGVyMnh5eg==", b"YWRtaW5pc3RyYXRvcg=="),
)
COLOURED = Printed(
    "grep --color",
    b"DB_\x1b[01;31m\x1b[KPASSWORD\x1b[m\x1b[K=hunter2xyzzy\r\nnext\r\n",
    (b"hunter2xyzzy",),
)

PRINTED = (
    ENVIRONMENT,
    TOKEN,
    ACCESS_KEY,
    PRIVATE_KEY,
    SECRET_YAML,
    SECRETS_YAML,
    SECRET_JSON,
    SECRET_RAW,
    COLOURED,
)
