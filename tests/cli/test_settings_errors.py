"""Every fault of the file is told with its line and column, and without any value of the file."""

from pathlib import Path

import pytest

from sluicegate.settings import SettingsError, load

IDENTITY = "identity: {mode: none}\n"
CONNECTIONS = 'connections:\n  - {name: demo, upstream: "http://127.0.0.1:9000/mcp"}\n'
GOOD = IDENTITY + CONNECTIONS
SECRET = "hunter2secret"


def faults(folder: Path, text: str | bytes, **environ: str) -> str:
    file = folder / "s.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SettingsError) as raised:
        load(file, environ)
    return str(raised.value).replace(str(file), "s.yaml")


BAD_FILES = {
    "an unknown block": (
        GOOD + "gatway: {}\n",
        "s.yaml:4:1: gatway: unknown setting; did you mean `gateway`?",
    ),
    "an unknown setting": (
        GOOD + "gateway:\n  workrs: 2\n",
        "s.yaml:5:3: gateway.workrs: unknown setting; did you mean `workers`?",
    ),
    "an unknown setting of a connection": (
        IDENTITY + "connections:\n- name: a\n  command: [a]\n  timeouts: {conect_seconds: 1}\n",
        "s.yaml:5:14: connections[0].timeouts.conect_seconds: unknown setting; did you mean `connect_seconds`?",
    ),
    "a setting like none": (
        GOOD + "kafka: {zzz: 1}\n",
        "s.yaml:4:9: kafka.zzz: unknown setting; known here: boot",
    ),
    "text for a number": (
        GOOD + "gateway:\n  workers: two\n",
        "s.yaml:5:12: gateway.workers: must be a whole number",
    ),
    "a quoted number": (
        GOOD + 'gateway: {workers: "2"}\n',
        "s.yaml:4:20: gateway.workers: must be a whole number",
    ),
    "a fraction for a count": (
        GOOD + "gateway: {workers: 1.5}\n",
        "s.yaml:4:20: gateway.workers: must be a whole",
    ),
    "a number for a switch": (GOOD + "kafka: {sync: 1}\n", "s.yaml:4:15: kafka.sync: must be true or false"),
    "yes for a switch": (GOOD + "kafka: {sync: yes}\n", "s.yaml:4:15: kafka.sync: must be true or false"),
    "a number for text": (
        GOOD + "console: {listen: 8081}\n",
        "s.yaml:4:19: console.listen: must be text; put it in",
    ),
    "text for a block": (GOOD + "gateway: none\n", "s.yaml:4:10: gateway: must be a block of `key: value`"),
    "a list for the file": ("- a\n", "s.yaml:1:1: the file must be a block of `key: value`"),
    "an empty file": ("", "s.yaml:1:1: identity: is missing: write `identity: {mode: none}`"),
    "no identity": (CONNECTIONS, "s.yaml:1:1: identity: is missing: write `identity: {mode: none}`"),
    "no identity mode": ("identity: {}\n" + CONNECTIONS, "s.yaml:1:11: identity.mode: is missing"),
    "no connections": (IDENTITY, "s.yaml:1:1: connections: is missing: write"),
    "an empty list of connections": (
        IDENTITY + "connections: []",
        "s.yaml:2:14: connections: must have at least one",
    ),
    "a number below the least": (
        GOOD + "gateway: {workers: 0}\n",
        "s.yaml:4:20: gateway.workers: must be at least 1",
    ),
    "a number above the most": (
        GOOD + "gateway: {workers: 65}",
        "s.yaml:4:20: gateway.workers: must be at most 64",
    ),
    "no time": (
        GOOD + "gateway: {record_deadline_seconds: 0}",
        "gateway.record_deadline_seconds: must be more than 0",
    ),
    "a time without end": (
        GOOD + "gateway: {record_deadline_seconds: .inf}",
        "s.yaml:4:36: gateway.record_deadline_s",
    ),
    "an unknown word": (
        "identity: {mode: open}\n" + CONNECTIONS,
        "s.yaml:1:18: identity.mode: must be 'none'",
    ),
    "an unknown profile": (
        GOOD.replace("name: demo", "name: demo, masking: none"),
        "s.yaml:3:27: connections[0].masking: must be 'secrets', ",
    ),
    "a key twice": (
        GOOD + "kafka: {}\nkafka: {}\n",
        "s.yaml:5:1: `kafka` stands here a second time (first on line 4)",
    ),
    "a nested key twice": (
        GOOD + "kafka: {sync: true, sync: false}\n",
        "s.yaml:4:21: `sync` stands here a second",
    ),
    "two connections of one name": (
        GOOD + "  - name: demo\n    command: [a]\n",
        "s.yaml:4:11: connections[1].name: a connection `demo` stands above already",
    ),
    "a name that no URL takes": (
        GOOD.replace("demo", "de/mo"),
        "s.yaml:3:12: connections[0].name: must be 1 to 63 of letters",
    ),
    "neither upstream nor command": (
        IDENTITY + "connections:\n  - {name: a}\n",
        "s.yaml:3:5: connections[0]: a connection needs `upstream` (a URL) or `command`",
    ),
    "upstream and command": (
        GOOD.replace("demo,", "demo, command: [a],"),
        "s.yaml:3:27: connections[0].command: a connection has either",
    ),
    "env without command": (
        GOOD.replace("demo,", "demo, env: {A: b},"),
        "s.yaml:3:23: connections[0].env: is the",
    ),
    "stdio without command": (
        GOOD.replace("demo,", "demo, stdio: {},"),
        "s.yaml:3:25: connections[0].stdio: bounds",
    ),
    "an empty command": (
        IDENTITY + "connections: [{name: a, command: []}]",
        "s.yaml:2:34: connections[0].command: must have",
    ),
    "a command of one text": (
        IDENTITY + "connections: [{name: a, command: npx server}]",
        "s.yaml:2:34: connections[0].command: must be a list",
    ),
    "a number in a command": (
        IDENTITY + "connections: [{name: a, command: [serve, 9000]}]",
        "s.yaml:2:42: connections[0].command[1]: must be text; put it in quotes",
    ),
    "a number in an environment": (
        IDENTITY + "connections: [{name: a, command: [a], env: {PORT: 1}}]",
        "s.yaml:2:51: connections[0].env.PORT: must be text; put it in quotes",
    ),
    "a variable that no shell takes": (
        IDENTITY + "connections: [{name: a, command: [a], env: {A-B: c}}]",
        "connections[0].env.A-B: must be letters, digits",
    ),
    "an upstream without scheme": (
        GOOD.replace("http://", ""),
        "s.yaml:3:28: connections[0].upstream: must be a URL",
    ),
    "an upstream with a password": (
        GOOD.replace("127.0.0.1:9000", f"u:{SECRET}@127.0.0.1:9000"),
        "s.yaml:3:28: connections[0].upstream: must not carry a user or password",
    ),
    "a listen address without port": (
        GOOD + "gateway: {listen: 127.0.0.1}",
        "s.yaml:4:19: gateway.listen: must be host:port",
    ),
    "a port that is none": (
        GOOD + 'gateway: {listen: "127.0.0.1:99999"}',
        "s.yaml:4:19: gateway.listen: must be host",
    ),
    "nobody asked on every address": (
        GOOD + 'gateway: {listen: "0.0.0.0:8080"}',
        "s.yaml:4:19: gateway.listen: `identity: {mode: none}` asks nobody",
    ),
    "nobody asked on every IPv6 address": (
        GOOD + 'gateway: {listen: "[::]:8080"}',
        "s.yaml:4:19: gateway.listen: `id",
    ),
    "nobody asked on a name": (
        GOOD + 'gateway: {listen: "gw.example:8080"}',
        "s.yaml:4:19: gateway.listen: `identity",
    ),
    "nobody asked at the console": (
        GOOD + 'console: {listen: "10.0.0.1:1"}',
        "s.yaml:4:19: console.listen: the query API asks nobody",
    ),
    "several workers beside a program": (
        IDENTITY + "gateway: {workers: 2}\nconnections: [{name: a, command: [a]}]\n",
        "s.yaml:2:20: gateway.workers: a program over stdio lives in one gateway process",
    ),
    "one address for two": (
        GOOD + 'console: {listen: "127.0.0.1:8080"}',
        "s.yaml:4:19: console.listen: is the gatewa",
    ),
    "brokers without port": (
        GOOD + "kafka: {bootstrap: kafka}",
        "s.yaml:4:20: kafka.bootstrap: must be `embedded` or",
    ),
    "an unknown DSN": (
        GOOD + f"clickhouse: {{dsn: 'mysql://a:{SECRET}@b/c'}}",
        "s.yaml:4:19: clickhouse.dsn: must be",
    ),
    "TLS to the embedded broker": (
        GOOD + "kafka: {security_protocol: SSL}",
        "s.yaml:4:28: kafka.security_protocol: ",
    ),
    "SASL without a user": (
        GOOD + 'kafka: {bootstrap: "a:1", security_protocol: SASL_SSL}',
        "s.yaml:4:46: kafka.security_protocol: SASL needs",
    ),
    "a user without SASL": (
        GOOD + 'kafka: {bootstrap: "a:1", sasl_username: u}',
        "s.yaml:4:42: kafka.sasl_username: is used with SASL only",
    ),
    "certificates without TLS": (
        GOOD + 'kafka: {bootstrap: "a:1", ca_file: s.yaml}',
        "s.yaml:4:36: kafka.ca_file: is used with TLS only",
    ),
    "a certificate that is not there": (
        GOOD + 'kafka: {bootstrap: "a:1", security_protocol: SSL, ca_file: ca.pem}',
        "s.yaml:4:60: kafka.ca_file: there is no such file",
    ),
    "a key without certificate": (
        GOOD + 'kafka: {bootstrap: "a:1", security_protocol: SSL, key_file: s.yaml}',
        "s.yaml:4:61: kafka.key_file: belongs to a certificate",
    ),
    "a missing variable": (
        GOOD + "clickhouse:\n  dsn: ${NOT_SET}\n",
        "s.yaml:5:8: the environment variable NOT_SET is not set; set it before",
    ),
    "an empty variable": (
        GOOD + "data_dir: ${EMPTY}\n",
        "s.yaml:4:11: the environment variable EMPTY is not set",
    ),
    "a reference cut short": (GOOD + "data_dir: ${SECRET\n", "s.yaml:4:11: a reference is written ${NAME}"),
    "a reference to no name": (GOOD + "data_dir: ${a b}\n", "s.yaml:4:11: a reference is written ${NAME}"),
    "a bad value out of a variable": (
        GOOD + "gateway: {listen: '${SECRET}'}",
        "s.yaml:4:19: gateway.listen: must be",
    ),
    "a tab for indentation": (GOOD + "kafka:\n\tsync: true\n", "s.yaml:5:1: is not YAML: while scanning"),
    "an open bracket": (
        GOOD + "kafka: {sync: true\n",
        "s.yaml:5:1: is not YAML: while parsing a flow mapping",
    ),
    "two documents": (GOOD + "---\n" + GOOD, "s.yaml:4:1: is not YAML: expected a single document"),
    "an alias": (GOOD + "kafka: &k {}\nconsole: *k\n", "s.yaml:5:10: is not YAML: aliases are not read here"),
    "a tag": (
        GOOD + "kafka: !!python/name:os.system {}\n",
        "s.yaml:4:8: the tag tag:yaml.org,2002:python/name:os.sys",
    ),
    "a key that is a list": (GOOD + "? [a]\n: b\n", "s.yaml:4:3: a key must be plain text"),
    "nesting without end": (GOOD + "kafka: " + "[" * 5_000, "s.yaml: is nested too deep"),
    "bytes that are not text": (GOOD.encode() + b"kafka: \xff\n", "s.yaml:4:8: is not UTF-8 text"),
    "a control character": (GOOD + "kafka: \x01\n", "s.yaml: is not YAML: unacceptable character #x0001"),
    "a file without end": (b"# " + b"x" * 1_100_000, "s.yaml: is larger than 1048576 bytes"),
}


@pytest.mark.parametrize(("text", "told"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_refused_with_its_line_and_column(tmp_path: Path, text: str | bytes, told: str) -> None:
    lines = faults(tmp_path, text, SECRET=SECRET, EMPTY="").splitlines()
    assert any(told in line for line in lines), lines
    assert SECRET not in "\n".join(lines)


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    lines = faults(tmp_path, "gateway: {workers: 0}\nkafka: {sinc: true}\nconnections: []\n").splitlines()
    assert [line.split(" ")[1] for line in lines] == [
        "identity:",
        "gateway.workers:",
        "kafka.sinc:",
        "connections:",
    ]


def test_a_folder_instead_of_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(tmp_path)
