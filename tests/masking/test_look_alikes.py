"""What must stay: digests, ids, names of secrets and references to them, certificates, public keys,
placeholders.
"""

import json

import pytest

import masking

MASKER = masking.Masker(b"a key for tests, 32 bytes long..")
HEX = "56f4d266c23e3f74fbe588a2ba8fa840347a84be5c1a60c55cdbaaccb607d3f6"
PUBLIC = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAt5egD1BQCK5fCQXKsgWhVFj9zanV9cdwVmMMOQzrwMBHMIRO0IdJMf"

STAYS = {
    "image digest": f"image: registry.example.com/app@sha256:{HEX}",
    "container id": f'{{"containerID": "containerd://{HEX}"}}',
    "uid": "uid: 6e85df08-7592-7b0f-e339-d309a930d55d",
    "git commit": f"commit {HEX[:40]}\nAuthor: Bot <bot@example.com>\n",
    "checksum annotation": f"annotations:\n  checksum/config: {HEX}\n",
    "trace": f"INFO trace_id={HEX[:32]} span_id={HEX[:16]} GET /api/v1/secrets/db 403",
    "secret reference": json.dumps(
        {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db-creds", "key": "password"}}}
    ),
    "secret volume": json.dumps(
        {"volumes": [{"secret": {"secretName": "yonder-velvet-tls", "defaultMode": 420}}]}
    ),
    "metadata of a Secret": json.dumps(
        {"kind": "Secret", "metadata": {"name": "x", "uid": HEX}, "type": "Opaque"}
    ),
    "table": "NAME           TYPE                                  DATA   AGE\ndb-token   Opaque   2   91d\n",
    "log": 'INFO secret "zephyr-ember" not found in namespace prod, retrying',
    "certificate": f"-----BEGIN CERTIFICATE-----\n{PUBLIC[:64]}\n{PUBLIC[64:]}\n-----END CERTIFICATE-----\n",
    "public key": f"-----BEGIN PUBLIC KEY-----\n{PUBLIC[:64]}\n{PUBLIC[64:]}\n-----END PUBLIC KEY-----\n",
    "ssh public key": f"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{PUBLIC} ops@host",
    "schema": json.dumps(
        {"properties": {"password": {"type": "string", "description": "at least 12 characters"}}}
    ),
    "empty values": 'password: ""\nexistingSecret: ""\ntoken: null\napiKey: ~\n',
    "references": "password: ${DB_PASSWORD}\ntoken: $(TOKEN)\nsecret: {{ .Values.secret }}\nkey: <your-key>\n",
    "vault path": "password: vault:secret/data/db#password\nkey: arn:aws:secretsmanager:eu-west-1:1:secret:db\n",
    "settings": "tokenExpirationSeconds: 7200\npasswordMinLength: 12\nsecretRotationDays: 90\nkeySize: 2048\n",
    "code": "def login(user, password):\n    token = get_token(user, password)\n    return token.value\n",
    "url without credentials": "https://example.com/secrets/token?page=2&sort=asc",
    "prose": "Rotate the token and the password every month; the key is to do it at night.",
    "crd": "kind: ExternalSecret\nspec:\n  secretStoreRef:\n    kind: Store\n    name: aws\n  data:\n  - x: a\n",
    "config map": json.dumps(
        {"kind": "ConfigMap", "data": {"colour": "blue", "nested.json": '{"passwordReset": true}'}}
    ),
    "plain base64": json.dumps(
        {"binaryData": {"a": "VGhpcyBpcyBwbGFpbiBkb2N1bWVudGF0aW9uIGFuZCBub3RoaW5nIGVsc2Uu"}}
    ),
}


@pytest.mark.parametrize("name", STAYS)
def test_a_look_alike_stays(name: str) -> None:
    assert MASKER.mask(STAYS[name]).text == STAYS[name]


@pytest.mark.parametrize("name", STAYS)
def test_a_look_alike_stays_inside_an_mcp_result(name: str) -> None:
    text = json.dumps({"result": {"content": [{"type": "text", "text": STAYS[name]}]}})
    assert MASKER.mask(text).text == text
