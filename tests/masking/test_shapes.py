"""Shapes that secrets come in beside the kinds of the matrix: files, commands, answers of clouds, ways to print."""

import json

import pytest

import masking

MASKER = masking.Masker(b"a key for tests, 32 bytes long..")
S = "Zq8vRt2LmNx4Wp7K"
SHAPES = {
    "describe ok": f"Name: db\nType: Opaque\n\nData\n====\npassword:  {S}\n",
    "py repr": "{'kind': 'Secret', 'data': {'blob': 'WnE4dlJ0MkxtTng0V3A3Sw=='}}",
    "py client": "{'api_version': 'v1',\n 'data': {'blob': 'WnE4dlJ0MkxtTng0V3A3Sw=='},\n 'kind': 'Secret'}",
    "yaml flow": f"kind: Secret\nstringData: {{blob: {S}, other: hello}}\n",
    "yaml flow env": f"env: [{{name: DB_PASSWORD, value: {S}}}]",
    "go map": f"map[apiVersion:v1 data:map[password:{S}] kind:Secret]",
    "ssm": f'{{"Parameter": {{"Name": "/prod/db", "Type": "SecureString", "Value": "{S}", "Version": 1}}}}',
    "secretsmanager": f'{{"ARN":"arn:aws:x","Name":"db","SecretString":"{S}"}}',
    "secretsmanager json": f'{{"ARN":"arn:aws:x","Name":"db","SecretString":"{{\\"username\\":\\"a\\",\\"password\\":\\"{S}\\"}}"}}',  # noqa: E501 - one line in the wild
    "gcp sm": '{"name":"projects/1/secrets/db/versions/1","payload":{"data":"WnE4dlJ0MkxtTng0V3A3Sw=="}}',
    "azure kv": f'{{"value":"{S}","id":"https://x.vault.azure.net/secrets/db/1"}}',
    "pgpass": f"db.local:5432:app:admin:{S}\n",
    "redis conf": f"port 6379\nrequirepass {S}\n",
    "redis cli": f"redis-cli -h db -a {S} ping",
    "mysql p": f"mysql -u root -p{S} app",
    "npmrc": f"//registry.example.org/:_authToken={S}\n",
    "putty": "PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 2\nAAABAQCVq3Zt2LmNx4Wp7KqZ8vRt2LmNx4Wp7KZq8vRt2LmNx4Wp7KZq8vRt2LmN\nx4Wp7KZq8vRt2LmNx4Wp7KZq8v==\nPrivate-MAC: 00\n",  # noqa: E501 - one line in the wild
    "systemd": f'Environment="DB_PASSWORD={S}"',
    "compose": f"    environment:\n      - POSTGRES_PASSWORD={S}\n",
    "dockerfile": f"ENV API_TOKEN={S}\nRUN x",
    "export": f"export SECRET_KEY='{S}'",
    "header json": f'{{"headers":{{"Authorization":"Token {S}"}}}}',
    "header x": f"X-Auth-Token: {S}\n",
    "graphql": f'{{"query":"mutation {{ login(password: \\"{S}\\") {{ token }} }}"}}',
    "toml": f'[db]\npassword = "{S}"\n',
    "csv": f"user,password\nadmin,{S}\n",
    "table": f"NAME        VALUE\nDB_PASSWORD {S}\n",
    "md table": f"| name | value |\n|---|---|\n| DB_PASSWORD | {S} |\n",
    "html input": f'<input type="password" name="pw" value="{S}">',
    "xml attr": f'<dataSource user="sa" password="{S}"/>',
    "xml prop": f'<property name="hibernate.connection.password">{S}</property>',
    "plist": f"<key>password</key><string>{S}</string>",
    "ldap": f"ldapsearch -D cn=admin -w {S} -b dc=x",
    "az cli": f"az login --service-principal -u id -p {S} --tenant t",
    "helm set": f"helm install x --set auth.password={S}",
    "yaml anchor": f"password: &pw {S}\n",
    "yaml folded": f"password: >-\n  {S}\nother: 1\n",
    "yaml block": f"password: |\n  {S}\nother: 1\n",
    "event": '{"type":"ADDED","object":{"kind":"Secret","data":{"z":"WnE4dlJ0MkxtTng0V3A3Sw=="}}}',
    "list item": "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  data:\n    z: WnE4dlJ0MkxtTng0V3A3Sw==\n  kind: Secret\n  metadata:\n    name: x\n",  # noqa: E501 - one line in the wild
    "crlf": f"kind: Secret\r\nstringData:\r\n  z: {S}\r\n",
    "tabs": f"kind:\tSecret\nstringData:\n  z: {S}\n",
    "quoted kind": f'"kind": "Secret"\n"stringData":\n  "z": "{S}"\n',
    "comment": f"kind: Secret # mine\nstringData: # here\n  z: {S} # there\n",
    "indent list": f'kind: Secret\nstringData:\n    z:   "{S}"\ntype: x\n',
    "truncated json": '{"kind":"Secret","data":{"z":"WnE4dlJ0MkxtTng0V3A3',
    "patch": f'kubectl patch secret x -p \'{{"stringData":{{"password":"{S}"}}}}\'',
    "literal": f"kubectl create secret generic x --from-literal=foo={S}",
    "docker login": f"docker login -u me -p {S} ghcr.io",
    "crictl": f'{{"info":{{"config":{{"envs":[{{"key":"DB_PASSWORD","value":"{S}"}}]}}}}}}',
    "proc environ": f"PATH=/bin\x00DB_PASSWORD={S}\x00HOME=/",
    "java props": f"javax.net.ssl.keyStorePassword={S}",
    "jdbc": f"jdbc:mysql://db:3306/app?user=root&password={S}&ssl=true",
    "jdbc oracle": f"jdbc:oracle:thin:scott/{S}@db:1521:orcl",
    "odbc": f"DRIVER=x;UID=sa;PWD={S};",
    "amqp": f"amqp://guest:{S}@mq:5672/",
    "redis url": f"redis://:{S}@cache:6379/0",
    "smtp": f'smtp.auth.password: "{S}"',
    "gh env": f"GITHUB_TOKEN: {S}",
    "ps aux": f"root 1 0.0 postgres: --superuser-password={S}",
    "bearer lower": f"authorization: bearer {S}",
    "curl header": f"curl -H 'X-Api-Key: {S}' https://x",
    "passwd line": f'echo "app:{S}" | chpasswd',
    "set-cookie": f"set-cookie: sid={S}{S}; Path=/",
    "jwt q": f"wss://x/ws?token={S}",
    "fragment": f"https://app/#access_token={S}&token_type=bearer",
}
"""Each holds S, as it is or in base64."""

STAYS = [
    "Data\n====\npassword:  12 bytes\ntls.key:  1704 bytes\n",
    "password:  8 bytes",
    "token:  1024 bytes\nnamespace:  7 bytes",
    "ca.crt:     1107 bytes",
    "secret/db-password created",
    "secretName: prod-db-credentials-2024",
    "serviceaccount/token-controller",
    "imagePullSecrets:\n- name: registry-credentials-v2\n",
    "tokenReview: authenticated",
    "password_hash_algorithm: argon2id",
    "kubectl get secret my-app-secret-7f9c8b6d5 -n prod",
    "secretKeyRef:\n  name: app-v2-secrets\n  key: db-password-2\n",
    "volumes:\n- name: token-vol\n  secret:\n    secretName: api-token-abc12\n",
    "Mounts:\n /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-1besm (ro)",
    "Tokens:  default-token-x7k2p",
    "token_type: Bearer",
    "csrf_enabled: true",
    "sessionAffinity: ClientIP",
    "authMode: Node,RBAC1",
    "keyEncipherment: digital2",
    "key: app.kubernetes.io/managed-by-helm3",
    "apiKeyHeader: X-Api-Key-V2",
    "passwordPolicy: length(12) and digits(2)",
    "Author: Jane Doe 2024",
    "private_ip: 10.0.0.12",
    "access_logs_bucket: my-logs-bucket-2024",
    "nonce_window: 300s",
    "auth_url: https://auth.example.com/v2",
    "signature_version: s3v4",
    "seed: 12345",
    "sidecar: istio-proxy-v1.20",
    "session_timeout: 3600s",
    "credentialsMode: Passthrough",
    "secretProviderClass: azure-kv-prod2",
]


def leaks(text: str) -> bool:
    return S in text or "WnE4dlJ0MkxtTng0V3A3" in text or "AAABAQCVq3Zt2" in text


@pytest.mark.parametrize("name", SHAPES)
def test_a_secret_is_masked_in_this_shape(name: str) -> None:
    assert leaks(SHAPES[name])
    assert not leaks(MASKER.mask(SHAPES[name]).text)


@pytest.mark.parametrize("name", SHAPES)
def test_a_secret_is_masked_in_this_shape_inside_an_mcp_result(name: str) -> None:
    text = json.dumps({"result": {"content": [{"type": "text", "text": SHAPES[name]}]}})
    masked = MASKER.mask(text).text
    assert not leaks(masked)
    assert json.loads(masked)["result"]["content"][0]["type"] == "text"


@pytest.mark.parametrize("text", STAYS)
def test_what_is_about_secrets_stays(text: str) -> None:
    assert MASKER.mask(text).text == text
