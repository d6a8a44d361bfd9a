"""Every way to be known to an API server, each a connection of one gateway. Whom the API server takes a caller for,
it is asked itself (SelfSubjectReview), by kubectl, through the gateway; and what its RBAC then lets that caller do.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.people import People
from benchmarks.processes import Child, free_port
from benchmarks.stack import COMMAND, CONFIG_NAME, READY_TIMEOUT_S, config
from gateway.edge.credentials.secret import LOOK_SECONDS
from tests.kubernetes.bench import Bench, Findings
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.gateway import AUDIENCE, Gateway
from tests.kubernetes.kubeconfig import by_token
from tests.kubernetes.versions import HERE
from tests.support.certificates import Authority, Pair

NAMESPACE = "gateways"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{{}}"
ACCOUNTS = f"system:serviceaccounts:{NAMESPACE}"
KUBECTL_S = 60.0
Block = dict[str, Any]


@dataclass(frozen=True)
class Who:
    """A user and groups; `system:authenticated` is everybody's and not named."""

    user: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """kubectl's answer. `who` is None where it was refused, and `told` says why."""

    who: Who | None
    told: str


@dataclass(frozen=True)
class Place:
    """Where a case finds what it needs. `mine` is a folder of its own."""

    cluster: Cluster
    folder: Path

    @property
    def tls(self) -> Block:
        """Who vouches for the API server."""
        return {"ca_file": str(self.cluster.ca)}

    def token(self, account: str, *more: str) -> str:
        """A new token of a service account, by the API server itself."""
        return self.cluster.kubectl("create", "token", account, "-n", NAMESPACE, *more).strip()

    def kubeconfig(self, name: str, user: Block, **of_cluster: Any) -> Path:
        """A kubeconfig with this user."""
        content = yaml.safe_load(self.cluster.kubeconfig.read_text())
        content["users"][0]["user"] = user
        content["clusters"][0]["cluster"] |= of_cluster
        return self.written(f"{name}.kubeconfig", yaml.safe_dump(content))

    def written(self, name: str, text: str, mode: int = 0o600) -> Path:
        """A file, replaced as a whole."""
        path = self.folder / name
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        fresh.chmod(mode)
        return fresh.replace(path)


@dataclass(frozen=True)
class Case:
    """`connection` makes what stands in the gateway's configuration; `expected` None: nobody is let through, and the
    client is told `told`. `then` changes something, after which the API server has to see `after`."""

    name: str
    connection: Callable[[Place], Block]
    expected: Who | None
    told: str = ""
    then: Callable[[Place], object] | None = None
    after: Who | None = None


def _inline(path: Path) -> str:
    return b64encode(path.read_bytes()).decode()


def _kubeconfig(file: Path) -> Block:
    return {"kubeconfig": {"file": str(file), "exec_seconds": 20}}


def _by_files(place: Place) -> Block:
    return _kubeconfig(place.cluster.kubeconfig)


def _by_data(place: Place) -> Block:
    admin = place.cluster.admin
    user = {"client-certificate-data": _inline(admin.certificate), "client-key-data": _inline(admin.key)}
    return _kubeconfig(place.kubeconfig("data", user))


def _by_tls_block(place: Place) -> Block:
    admin = place.cluster.admin
    files = {"certificate_file": str(admin.certificate), "key_file": str(admin.key)}
    return {"upstream": place.cluster.url, "tls": place.tls | files}


def _by_token(place: Place) -> Block:
    return _kubeconfig(place.kubeconfig("token", {"token": place.token("reader")}))


def _other_token(place: Place) -> None:
    place.kubeconfig("token", {"token": place.token("writer")})


def _by_token_file(place: Place) -> Block:
    place.written("token", place.token("reader"))
    return _kubeconfig(place.kubeconfig("token-file", {"tokenFile": "token"}))


def _other_token_file(place: Place) -> None:
    place.written("token", place.token("writer"))


def _by_account(place: Place) -> Block:
    file = place.written("account", place.token("reader"))
    credential = {"kind": "service_account", "token_file": str(file)}
    return {"upstream": place.cluster.url, "tls": place.tls, "credential": credential}


def _other_account(place: Place) -> None:
    place.written("account", place.token("writer"))


PLUGIN = """#!/bin/sh
# A real one: it asks the API server for a token by kubectl, and says how long that is good for.
answer=$({kubectl} --kubeconfig={kubeconfig} create token {account} -n {namespace} --duration=600s -o json) || exit 1
printf '%s' "$answer" | {python} -c '
import json, sys
status = json.load(sys.stdin)["status"]
print(json.dumps({{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}}))'
"""


def _plugin(place: Place, name: str, text: str) -> Block:
    command = str(place.written(name, text, 0o700))
    return {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "command": command}


def _by_program(place: Place) -> Block:
    clients = place.cluster.clients
    text = PLUGIN.format(
        kubectl=clients.kubectl,
        python=clients.python,
        kubeconfig=place.cluster.kubeconfig,
        account="reader",
        namespace=NAMESPACE,
    )
    return _kubeconfig(place.kubeconfig("program", {"exec": _plugin(place, "program.sh", text)}))


def _by_programs_certificate(place: Place) -> Block:
    admin: Pair = place.cluster.admin
    status = {
        "clientCertificateData": admin.certificate.read_text(),
        "clientKeyData": admin.key.read_text(),
    }
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
    file = place.written("certificate.json", json.dumps(answer))
    return _kubeconfig(
        place.kubeconfig(
            "certificate", {"exec": _plugin(place, "certificate.sh", f"#!/bin/sh\ncat {file}\n")}
        )
    )


def _by_failing_program(place: Place) -> Block:
    text = "#!/bin/sh\necho 'log in first' >&2\nexit 7\n"
    return _kubeconfig(place.kubeconfig("failing", {"exec": _plugin(place, "failing.sh", text)}))


def _by_name(place: Place) -> Block:
    """The certificate is for the service's name too, and that is the one expected."""
    name = {"tls-server-name": "kubernetes.default.svc"}
    return _kubeconfig(place.kubeconfig("name", {"token": place.token("reader")}, **name))


def _by_wrong_name(place: Place) -> Block:
    name = {"tls-server-name": "elsewhere.example"}
    return _kubeconfig(place.kubeconfig("wrong-name", {"token": place.token("reader")}, **name))


def _by_unknown_authority(place: Place) -> Block:
    ca = Authority(place.folder, "nobody's authority").ca
    return _by_account(place) | {"tls": {"ca_file": str(ca)}}


def _by_void_token(place: Place) -> Block:
    return _kubeconfig(place.kubeconfig("void", {"token": "nobodys"}))


def _impersonating(block: object = True) -> Callable[[Place], Block]:
    def connection(place: Place) -> Block:
        file = place.written("impersonator", place.token("impersonator"))
        credential = {"kind": "service_account", "token_file": str(file)}
        return {
            "upstream": place.cluster.url,
            "tls": place.tls,
            "credential": credential,
            "impersonate": block,
        }

    return connection


def _impersonating_without_leave(place: Place) -> Block:
    return _by_account(place) | {"impersonate": True}


ADMIN = Who("admin", ("system:masters",))
READER = Who(ACCOUNT.format("reader"), ("system:serviceaccounts", ACCOUNTS))
WRITER = Who(ACCOUNT.format("writer"), ("system:serviceaccounts", ACCOUNTS))
SUBJECT, GROUPS = "zoë@example.com", ("sre", "system:masters", "on call")
CASES = (
    Case("kubeconfig with a client certificate in files", _by_files, ADMIN),
    Case("kubeconfig with a client certificate in it", _by_data, ADMIN),
    Case("client certificate in the block tls", _by_tls_block, ADMIN),
    Case("kubeconfig with a token, then with another", _by_token, READER, then=_other_token, after=WRITER),
    Case(
        "kubeconfig with a token file, renewed", _by_token_file, READER, then=_other_token_file, after=WRITER
    ),
    Case("service account's token file, renewed", _by_account, READER, then=_other_account, after=WRITER),
    Case("kubeconfig with a program that asks for a token", _by_program, READER),
    Case("kubeconfig with a program that has a certificate", _by_programs_certificate, ADMIN),
    Case("kubeconfig with a program that fails", _by_failing_program, None, "ended with exit code 7"),
    Case("kubeconfig with another name of the server", _by_name, READER),
    Case("kubeconfig with a wrong name of the server", _by_wrong_name, None, "is for another name"),
    Case("an authority that does not vouch for it", _by_unknown_authority, None, "its certificate: "),
    Case("a token that is void", _by_void_token, None, "Unauthorized"),
    Case("the caller impersonated", _impersonating(), Who(SUBJECT, ("sre", "on call"))),
    Case(
        "the caller impersonated under a prefix",
        _impersonating({"user_prefix": "sso:", "groups_prefix": "sso:"}),
        Who(f"sso:{SUBJECT}", ("sso:sre", "sso:system:masters", "sso:on call")),
    ),
    Case(
        "the caller impersonated by issuer, without groups",
        _impersonating({"user": "issuer#subject", "groups": False}),
        Who(f"https://people.example#{SUBJECT}"),
    ),
    Case("impersonation that RBAC does not allow", _impersonating_without_leave, None, "not have permission"),
)


def run(bench: Bench) -> Findings:
    """Each way, twice: the second time with what is held, and with what is known of it by then."""
    cluster, folder, findings = bench.cluster, bench.folder / "credentials", Findings()
    cluster.kubectl("apply", "-f", str(HERE / "credentials.yaml"))
    places = [Place(cluster, folder / f"case-{number}") for number in range(len(CASES))]
    for place in places:
        place.folder.mkdir(parents=True)
    blocks = [
        {"name": f"case-{number}", "kind": "kubernetes", **case.connection(place)}
        for number, (case, place) in enumerate(zip(CASES, places, strict=True))
    ]
    with _running(folder / "gateway", blocks) as gateway:
        for number, place in enumerate(places):
            _case(gateway, number, place, findings)
        _judged_by_rbac(cluster, gateway, findings)
        _recorded(gateway, findings)
    findings.figures["ways"] = len(CASES)
    return findings


def _case(gateway: Gateway, number: int, place: Place, findings: Findings) -> None:
    case = CASES[number]
    _compared(gateway, number, place, case.expected, findings)
    _compared(gateway, number, place, case.expected, findings)
    if case.then is not None:
        case.then(place)
        time.sleep(LOOK_SECONDS + 0.1)  # the gateway looks at files that often, and says nothing of it
        _compared(gateway, number, place, case.after, findings)


def _compared(gateway: Gateway, number: int, place: Place, expected: Who | None, findings: Findings) -> None:
    case = CASES[number]
    asked = whoami(place.cluster, gateway, f"case-{number}", SUBJECT, *GROUPS)
    right = asked.who == expected and case.told in asked.told
    findings.check(
        right, f"{case.name}: the API server says {asked}, and it should be {expected} {case.told}"
    )


def whoami(cluster: Cluster, gateway: Gateway, connection: str, subject: str, *groups: str) -> Asked:
    """Whom the API server takes a caller for."""
    done = _kubectl(cluster, gateway, connection, subject, groups, "auth", "whoami", "-o", "json")
    if done.returncode != 0:
        return Asked(None, done.stderr.strip())
    info = json.loads(done.stdout)["status"]["userInfo"]
    seen = tuple(group for group in info.get("groups", ()) if group != "system:authenticated")
    return Asked(Who(info["username"], seen), "")


def _kubectl(
    cluster: Cluster,
    gateway: Gateway,
    connection: str,
    subject: str,
    groups: tuple[str, ...],
    *arguments: str,
) -> subprocess.CompletedProcess[str]:
    server = f"{gateway.public_url}/k8s/{connection}"
    path = gateway.folder / "kubeconfig" / f"{connection}-{subject}"
    file = by_token(path, server, gateway.ca, gateway.token(subject, *groups))
    return subprocess.run(
        [cluster.clients.kubectl, f"--kubeconfig={file}", *arguments],
        env=os.environ | {"HOME": str(gateway.folder)},
        timeout=KUBECTL_S,
        capture_output=True,
        text=True,
        check=False,
    )


def _judged_by_rbac(cluster: Cluster, gateway: Gateway, findings: Findings) -> None:
    """Where the caller is impersonated, the roles of the caller hold, and not those of the gateway."""
    number = next(index for index, case in enumerate(CASES) if case.name == "the caller impersonated")
    for groups, code, told in ((("sre",), 0, ""), (("others",), 1, 'User "ann" cannot list resource "pods"')):
        done = _kubectl(cluster, gateway, f"case-{number}", "ann", groups, "get", "pods", "-n", "prod")
        right = done.returncode == code and told in done.stderr
        findings.check(right, f"ann of {groups}, impersonated: {done.returncode} {done.stderr}")


def _recorded(gateway: Gateway, findings: Findings) -> None:
    """The trail tells whom the API server took the gateway for."""
    rows = gateway.query("SELECT DISTINCT connection, upstream_user FROM v_kubernetes")
    seen = {(row["connection"], row["upstream_user"]) for row in rows}
    for number, case in enumerate(CASES):
        impersonated = case.name.startswith("the caller impersonated")
        who = Who(ACCOUNT.format("impersonator")) if impersonated else case.expected
        if who is not None:
            told = (f"case-{number}", who.user) in seen
            findings.check(told, f"{case.name}: the trail does not tell of {who.user}: {sorted(seen)}")


@contextmanager
def _running(folder: Path, connections: list[Block]) -> Iterator[Gateway]:
    """`sluicegate up` with these connections."""
    folder.mkdir(parents=True)
    port = free_port()
    authority = Authority(folder)
    gateway = Gateway(f"https://localhost:{port}", authority.ca, folder, People(folder / "people"))
    settings: Block = config({}, port, folder, {})
    settings["identity"] = gateway.people.identity(gateway.public_url)
    settings["identity"]["issuers"][0]["audiences"] = [AUDIENCE]
    pair = authority.issue("localhost")
    settings["gateway"]["tls"] = {"certificate_file": str(pair.certificate), "key_file": str(pair.key)}
    settings["connections"] = connections
    (folder / CONFIG_NAME).write_text(yaml.safe_dump(settings, sort_keys=False))
    command = [*COMMAND, "up", "--config", str(folder / CONFIG_NAME)]
    with Child("sluicegate up", command, folder / "up.log", cwd=folder, env={"NO_COLOR": "1"}) as child:
        child.wait_for(r"\bready\b", READY_TIMEOUT_S)
        child.wait_for_port(port, READY_TIMEOUT_S)
        yield gateway
