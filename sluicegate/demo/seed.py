"""What the cluster starts with: a web shop in two regions whose checkout has just broken.

In each region the database password was rotated while the checkout pods still held the old one. The same seed
gives the same cluster, to the byte.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from sluicegate.demo import credentials, objects
from sluicegate.demo.cluster import HEALTHY_LOG, Cluster
from sluicegate.demo.objects import Object

DEFAULT_SEED: Final = 20261120
START: Final = datetime(2026, 11, 20, 9, 41, tzinfo=UTC)
REGIONS: Final = ("prod-eu", "prod-us")
SERVICES: Final = ("frontend", "checkout", "payments", "catalog")


@dataclass(frozen=True)
class Seeded:
    """The cluster, and every made-up credential in it by `namespace/secret/key`, for whoever looks for leaks."""

    cluster: Cluster
    credentials: dict[str, str]


def seeded(seed: int = DEFAULT_SEED) -> Seeded:
    """A fresh cluster; equal seeds give equal clusters."""
    random = Random(seed)
    cluster = Cluster(random, START)
    planted: dict[str, str] = {}
    for index, name in enumerate(("ip-10-0-1-17", "ip-10-0-2-44", "ip-10-0-3-80")):
        cluster.add(objects.node(_meta(random, name, None, days=90), f"10.0.{index + 1}.{17 + 27 * index}"))
    for name in ("default", "kube-system", *REGIONS):
        cluster.add(objects.namespace(_meta(random, name, None, days=90)))
    for region in REGIONS:
        planted.update(_region(cluster, random, region))
    return Seeded(cluster, planted)


def _region(cluster: Cluster, random: Random, region: str) -> dict[str, str]:
    planted: dict[str, str] = {}
    for name, kind, values in _secrets(random, region):
        meta = _meta(random, name, region, days=0 if name == "checkout-db" else 60)
        cluster.add(objects.secret(meta, kind, values))
        planted.update({f"{region}/{name}/{key}": value for key, value in values.items() if _is_secret(key)})
    cluster.add(objects.config_map(_meta(random, "checkout-config", region, days=30), _settings(region)))
    logs = {
        "checkout": _broken_log(),
        "payments": _talkative_log(planted[f"{region}/deployer-token/token"]),
    }
    for name in SERVICES:
        _service(cluster, random, region, name, logs.get(name, HEALTHY_LOG))
    _incident(cluster, random, region)
    return planted


def _is_secret(key: str) -> bool:
    return key not in ("username", "host", "tls.crt")


def _secrets(random: Random, region: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """(name, type, values) of the Secrets of a region."""
    password = credentials.token(random, 24)
    host = f"orders.{region}.db.internal"
    url = f"postgresql://checkout:{password}@{host}:5432/orders"
    yield (
        "checkout-db",
        "Opaque",
        {"username": "checkout", "host": host, "password": password, "DATABASE_URL": url},
    )
    yield "payments-provider", "Opaque", {"api-key": credentials.payment_key(random)}
    keys = {"AWS_ACCESS_KEY_ID": credentials.access_key_id(random)}
    yield "backup-bucket", "Opaque", {**keys, "AWS_SECRET_ACCESS_KEY": credentials.token(random, 40)}
    pair = {"tls.crt": credentials.certificate_pem(random), "tls.key": credentials.private_key_pem(random)}
    yield "shop-tls", "kubernetes.io/tls", pair
    jwt = credentials.service_account_jwt(random, region, "deployer")
    yield "deployer-token", "kubernetes.io/service-account-token", {"token": jwt}


def _settings(region: str) -> dict[str, str]:
    return {
        "DB_HOST": f"orders.{region}.db.internal",
        "DB_POOL_MAX": "10",
        "PAYMENTS_URL": f"http://payments.{region}.svc.cluster.local:8080",
        "application.yaml": "server:\n  port: 8080\nretries:\n  attempts: 3\n  backoff: 200ms\n",
    }


def _service(cluster: Cluster, random: Random, region: str, name: str, log: Iterable[str]) -> None:
    wanted: list[Object] = [{"name": "REGION", "value": region}]
    broken = name == "checkout"
    if broken:
        wanted.append({"name": "DATABASE_URL", "valueFrom": _reference("checkout-db", "DATABASE_URL")})
    image = f"registry.shop.internal/{name}:2026.11.3"
    meta = _meta(random, name, region, days=30)
    owner = cluster.add(objects.deployment(meta, 2, objects.container(name, image, wanted)))
    for _ in range(2):
        cluster.add_pod(owner, log, ready=not broken, restarts=7 if broken else 0)


def _reference(name: str, key: str) -> Object:
    return {"secretKeyRef": {"name": name, "key": key}}


def _broken_log() -> list[str]:
    return [
        "INFO  starting, build 2026.11.3",
        "INFO  configuration read from /etc/app",
        "WARN  database pool: 0 of 10 connections open, retrying (attempt 1)",
        "WARN  database pool: 0 of 10 connections open, retrying (attempt 2)",
        'ERROR POST /checkout 503 5004ms: FATAL: password authentication failed for user "checkout"',
        "FATAL giving up after 3 attempts, exiting with code 1",
    ]


def _talkative_log(token: str) -> list[str]:
    """A log with a credential in it, as logs have."""
    return [*HEALTHY_LOG, f"DEBUG POST /v1/charges 402 88ms, sent headers: Authorization: Bearer {token}"]


def _incident(cluster: Cluster, random: Random, region: str) -> None:
    rotated = cluster.get("Secret", "checkout-db", region)
    about = "password of user checkout rotated by rotation-controller"
    meta = _meta(random, f"checkout-db.{random.getrandbits(48):x}", region, minutes=21)
    cluster.add(objects.event(meta, rotated, "Rotated", about, warning=False, count=1))
    for pod in cluster.listed("Pod", region, "checkout"):
        name = f"{pod['metadata']['name']}.{random.getrandbits(48):x}"
        text = "Back-off restarting failed container checkout"
        meta = _meta(random, name, region, minutes=2)
        cluster.add(objects.event(meta, pod, "BackOff", text, warning=True, count=random.randrange(20, 60)))


def _meta(random: Random, name: str, region: str | None, *, days: int = 0, minutes: int = 0) -> Object:
    return objects.metadata(random, name, region, START - timedelta(days=days, minutes=minutes))
