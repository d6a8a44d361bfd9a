"""What the operations tools can do to the cluster."""

import pytest

from sluicegate.demo.cluster import Cluster, ClusterError
from sluicegate.demo.seed import seeded


@pytest.fixture
def cluster() -> Cluster:
    return seeded().cluster


def names(cluster: Cluster, app: str = "checkout") -> list[str]:
    return [pod["metadata"]["name"] for pod in cluster.listed("Pod", "prod-eu", app)]


def test_scaling_up_adds_healthy_pods_and_keeps_the_others(cluster: Cluster) -> None:
    before = names(cluster)
    scaled = cluster.scale("prod-eu", "checkout", 4)
    assert set(before) < set(names(cluster))
    assert scaled["status"] == {
        "observedGeneration": 2, "replicas": 4, "readyReplicas": 2, "unavailableReplicas": 2,
    }  # fmt: skip


def test_scaling_down_removes_pods_and_their_logs(cluster: Cluster) -> None:
    gone = names(cluster)
    cluster.scale("prod-eu", "checkout", 0)
    assert names(cluster) == []
    with pytest.raises(ClusterError, match=f'pods "{gone[0]}" not found'):
        cluster.logs("prod-eu", gone[0], 10)


@pytest.mark.parametrize("replicas", [-1, 21])
def test_scaling_beyond_the_quota_is_refused_and_changes_nothing(cluster: Cluster, replicas: int) -> None:
    before = cluster.get("Deployment", "checkout", "prod-eu")
    with pytest.raises(ClusterError, match="must be from 0 to 20"):
        cluster.scale("prod-eu", "checkout", replicas)
    assert cluster.get("Deployment", "checkout", "prod-eu") == before


def test_a_restart_replaces_every_pod_and_heals(cluster: Cluster) -> None:
    before = names(cluster)
    restarted = cluster.restart("prod-eu", "checkout")
    assert not set(before) & set(names(cluster))
    assert restarted["status"]["readyReplicas"] == 2


def test_a_deleted_pod_of_a_deployment_is_replaced(cluster: Cluster) -> None:
    first, second = names(cluster)
    cluster.delete("Pod", first, "prod-eu")
    assert second in names(cluster)
    assert first not in names(cluster)
    assert len(names(cluster)) == 2


def test_a_deleted_deployment_takes_its_pods_with_it(cluster: Cluster) -> None:
    cluster.delete("Deployment", "checkout", "prod-eu")
    assert names(cluster) == []
    assert len(names(cluster, "payments")) == 2


def test_nodes_and_namespaces_cannot_be_deleted(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="forbidden"):
        cluster.delete("Namespace", "prod-eu")
    assert cluster.get("Namespace", "prod-eu")


def test_answers_are_copies(cluster: Cluster) -> None:
    cluster.get("Deployment", "checkout", "prod-eu")["spec"]["replicas"] = 99
    cluster.listed("Deployment", "prod-eu")[0]["spec"]["replicas"] = 99
    assert {found["spec"]["replicas"] for found in cluster.listed("Deployment")} == {2}


@pytest.mark.parametrize(
    ("kind", "name", "namespace", "message"),
    [
        ("Pod", "nope", "prod-eu", 'pods "nope" not found'),
        ("Gateway", "nope", "prod-eu", "doesn't have a resource type"),
        ("Secret", "checkout-db", "default", 'secrets "checkout-db" not found'),
    ],
)
def test_what_is_not_there_is_said_as_the_api_says_it(
    cluster: Cluster, kind: str, name: str, namespace: str, message: str
) -> None:
    with pytest.raises(ClusterError, match=message):
        cluster.get(kind, name, namespace)


def test_listing_an_unknown_namespace_is_an_error_and_no_empty_list(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match='namespaces "prod-mars" not found'):
        cluster.listed("Pod", "prod-mars")
