"""The cluster that the demo starts with."""

import base64

from sluicegate.demo.cluster import KINDS, Cluster
from sluicegate.demo.seed import REGIONS, SERVICES, seeded


def everything(cluster: Cluster) -> list[object]:
    objects: list[object] = [cluster.listed(kind) for kind in KINDS]
    pods = cluster.listed("Pod")
    logs = [cluster.logs(pod["metadata"]["namespace"], pod["metadata"]["name"], 500) for pod in pods]
    return [objects, logs]


def test_equal_seeds_give_equal_clusters() -> None:
    first, second = seeded(7), seeded(7)
    assert everything(first.cluster) == everything(second.cluster)
    assert first.credentials == second.credentials


def test_another_seed_gives_other_names_and_credentials() -> None:
    first, second = seeded(7), seeded(8)
    assert first.credentials.keys() == second.credentials.keys()
    assert not set(first.credentials.values()) & set(second.credentials.values())
    assert everything(first.cluster) != everything(second.cluster)


def test_equal_operations_keep_equal_clusters_equal() -> None:
    clusters = [seeded().cluster, seeded().cluster]
    for cluster in clusters:
        cluster.scale("prod-eu", "checkout", 5)
        cluster.restart("prod-us", "payments")
        cluster.delete("Pod", cluster.listed("Pod", "prod-eu")[0]["metadata"]["name"], "prod-eu")
    assert everything(clusters[0]) == everything(clusters[1])


def test_every_credential_stands_in_the_secret_it_is_named_after() -> None:
    found = seeded()
    assert len(found.credentials) == 14
    for place, value in found.credentials.items():
        namespace, name, key = place.split("/")
        secret = found.cluster.get("Secret", name, namespace)
        assert base64.b64decode(secret["data"][key]).decode() == value


def test_no_object_but_a_secret_holds_a_credential() -> None:
    found = seeded()
    others = repr([found.cluster.listed(kind) for kind in KINDS if kind != "Secret"])
    assert not [place for place, value in found.credentials.items() if value in others]


def test_one_log_leaks_a_token_as_logs_do() -> None:
    found = seeded()
    pod = found.cluster.listed("Pod", "prod-eu", "payments")[0]["metadata"]["name"]
    log = "\n".join(found.cluster.logs("prod-eu", pod, 100))
    assert f"Authorization: Bearer {found.credentials['prod-eu/deployer-token/token']}" in log


def test_the_checkout_is_broken_in_each_region_and_the_rest_is_well() -> None:
    cluster = seeded().cluster
    for region in REGIONS:
        ready = {
            name: cluster.get("Deployment", name, region)["status"]["readyReplicas"] for name in SERVICES
        }
        assert ready == {"frontend": 2, "checkout": 0, "payments": 2, "catalog": 2}
