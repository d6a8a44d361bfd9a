"""Files that the settings name are read when it is asked for, and told where they are named."""

from pathlib import Path

import pytest

from sluicegate.settings import SettingsError, load
from tests.support.certificates import Authority, Pair

OIDC = """\
identity:
  mode: oidc
  public_url: https://gw.example.com
  issuers: [{{name: a, issuer: "https://id.example.com", ca_file: {ca}}}]
gateway: {{tls: {{certificate_file: {certificate}, key_file: {key}}}}}
connections:
- name: a
  upstream: "https://up.example/mcp"
  tls: {{ca_file: {ca}, certificate_file: {certificate}, key_file: {key}}}
  credential:
    {{kind: client_credentials, token_url: "https://a.example", client_id: a, secret: {{env: A}}, ca_file: {ca}}}
"""
GATEWAY, CONNECTION = "s.yaml:5:16: gateway.tls: ", "s.yaml:9:8: connections[0].tls: "


def faults(folder: Path, ca: Path, pair: Pair, *, files: bool = True) -> list[str]:
    file = folder / "s.yaml"
    file.write_text(OIDC.format(ca=ca, certificate=pair.certificate, key=pair.key))
    try:
        load(file, {}, files=files)
    except SettingsError as error:
        return str(error).replace(f"{folder}/", "").splitlines()
    return []


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def pair(authority: Authority) -> Pair:
    return authority.issue("gw.example.com")


def test_files_that_can_be_used_are_no_fault(tmp_path: Path, authority: Authority, pair: Pair) -> None:
    assert faults(tmp_path, authority.ca, pair) == []


def test_a_key_of_another_certificate_is_told(tmp_path: Path, authority: Authority, pair: Pair) -> None:
    other = Pair(pair.certificate, authority.issue("other.example.com").key)
    told = "the key is not that of the certificate"
    assert faults(tmp_path, authority.ca, other) == [f"{GATEWAY}{told}", f"{CONNECTION}{told}"]


def test_a_key_under_a_passphrase_asks_nobody(tmp_path: Path, authority: Authority) -> None:
    told = "the key cannot be read; one under a passphrase is of no use, as nobody is there to be asked"
    closed = authority.issue("closed.example.com", passphrase=b"geheim")
    assert faults(tmp_path, authority.ca, closed) == [f"{GATEWAY}{told}", f"{CONNECTION}{told}"]


def test_a_file_without_certificates_is_told_wherever_it_is_named(tmp_path: Path, pair: Pair) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    assert faults(tmp_path, empty, pair) == [
        "s.yaml:4:66: identity.issuers[0].ca_file: holds no certificate (PEM)",
        f"{CONNECTION}holds no certificate (PEM)",
        "s.yaml:11:105: connections[0].credential.ca_file: holds no certificate (PEM)",
    ]


def test_who_does_not_use_the_files_is_not_troubled(tmp_path: Path, pair: Pair) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    assert faults(tmp_path, empty, pair, files=False) == []


def test_a_file_that_is_not_there_is_told_once(tmp_path: Path, authority: Authority, pair: Pair) -> None:
    lines = faults(tmp_path, authority.ca, Pair(tmp_path / "no.pem", pair.key))
    assert [line.split(": ", 1)[1] for line in lines] == [
        f"{name}.certificate_file: there is no such file (paths are relative to the folder of this file)"
        for name in ("gateway.tls", "connections[0].tls")
    ]
