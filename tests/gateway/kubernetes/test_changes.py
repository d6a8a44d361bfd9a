"""What a body would set and remove, by its kind of patch."""

from typing import Any

import pytest

from gateway.kubernetes import NotReadError
from gateway.kubernetes.changes import PATHS_MAX
from tests.gateway.kubernetes.shapes import CONFIGMAPS, DEPLOYMENT, call, patch


def test_a_merge_patch_sets_values_and_deletes_by_null() -> None:
    found = patch(
        "merge", {"spec": {"replicas": 2, "paused": None}, "metadata": {"labels": {"a.b/c": "x", "d": None}}}
    )
    assert found.facts["changes"] == ["spec.replicas", 'metadata.labels["a.b/c"]']
    assert found.facts["deletes"] == ["spec.paused", "metadata.labels.d"]
    assert found.facts["object"]["spec"] == {"replicas": 2, "paused": None}


def test_what_only_says_which_object_is_meant_is_no_change() -> None:
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "prod"},
        "spec": {"a": 1},
    }
    assert patch("merge", body).facts["changes"] == ["spec.a"]
    assert patch("apply", body).facts["changes"] == ["spec.a"]
    assert call("PUT", DEPLOYMENT, body, "application/json").facts["changes"] == ["spec.a"]


def test_lists_and_empty_containers_have_paths() -> None:
    body = {
        "spec": {
            "template": {"spec": {"containers": [{"image": "a"}, {"image": "b"}], "volumes": [], "x": {}}}
        }
    }
    paths = ["containers[0].image", "containers[1].image", "volumes", "x"]
    assert patch("apply", body).facts["changes"] == [f"spec.template.spec.{path}" for path in paths]


def test_a_strategic_merge_has_directives_that_delete() -> None:
    body = {
        "metadata": {
            "$deleteFromPrimitiveList/finalizers": ["a"],
            "annotations": {"$patch": "replace", "k": "v"},
        },
        "spec": {
            "template": {
                "spec": {"containers": [{"name": "old", "$patch": "delete"}, {"name": "web", "image": "b"}]}
            },
            "$setElementOrder/containers": [{"name": "web"}],
            "strategy": {"$retainKeys": ["type"], "type": "Recreate"},
        },
    }
    facts = patch("strategic", body).facts
    containers = "spec.template.spec.containers"
    assert facts["deletes"] == [
        "metadata.finalizers",
        "metadata.annotations",
        f"{containers}[0]",
        "spec.strategy",
    ]
    assert facts["changes"] == [
        "metadata.annotations.k",
        f"{containers}[1].name",
        f"{containers}[1].image",
        "spec.strategy.type",
    ]


def test_directives_are_ordinary_keys_in_a_merge_patch() -> None:
    assert patch("merge", {"$patch": "delete", "a": 1}).facts["changes"] == ['["$patch"]', "a"]


def test_a_json_patch_sets_every_value_below_what_it_puts_there() -> None:
    operations = [
        {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "evil"},
        {"op": "add", "path": "/metadata/labels/app.kubernetes.io~1name", "value": "x"},
        {
            "op": "add",
            "path": "/spec/template/spec/volumes/-",
            "value": {"name": "host", "hostPath": {"path": "/"}},
        },
        {"op": "remove", "path": "/spec/paused"},
        {"op": "test", "path": "/spec/replicas", "value": 1},
    ]
    facts = patch("json", operations).facts
    assert facts["changes"] == [
        "spec.template.spec.containers[0].image",
        'metadata.labels["app.kubernetes.io/name"]',
        "spec.template.spec.volumes[-].name",
        "spec.template.spec.volumes[-].hostPath.path",
    ]
    assert facts["deletes"] == ["spec.paused"]
    assert facts["object"]["spec"]["template"]["spec"] == {
        "containers": [{"image": "evil"}],
        "volumes": [{"name": "host", "hostPath": {"path": "/"}}],
    }
    assert facts["object_known"] is True


@pytest.mark.parametrize(
    ("key", "index"), [("+0", "0"), ("00", "0"), ("+012", "12"), ("-1", "-"), ("-", "-")]
)
def test_an_index_has_one_form_however_it_is_written(key: str, index: str) -> None:
    """The API server reads them as Go's strconv.Atoi does."""
    operation = {"op": "replace", "path": f"/spec/containers/{key}/image", "value": "evil"}
    assert patch("json", [operation]).facts["changes"] == [f"spec.containers[{index}].image"]


def test_a_json_patch_of_the_whole_object_is_seen_through() -> None:
    facts = patch("json", [{"op": "replace", "path": "", "value": {"spec": {"hostNetwork": True}}}]).facts
    assert (facts["changes"], facts["object"]) == (["spec.hostNetwork"], {"spec": {"hostNetwork": True}})


def test_what_a_json_patch_sets_is_not_hidden_by_what_it_sets_later_in_the_same_place() -> None:
    operations = [
        {"op": "add", "path": "/spec", "value": {"hostNetwork": True}},
        {"op": "add", "path": "/spec/0", "value": 1},
        {"op": "add", "path": "/spec/x/y", "value": 2},
    ]
    facts = patch("json", operations).facts
    assert facts["object"] == {"spec": {"hostNetwork": True, "0": 1, "x": {"y": 2}}}
    assert facts["changes"] == ["spec.hostNetwork", "spec[0]", "spec.x.y"]


def test_a_json_patch_that_moves_or_copies_does_not_say_all() -> None:
    facts = patch("json", [{"op": "move", "from": "/metadata/annotations/a", "path": "/spec/b"}]).facts
    assert (facts["object_known"], facts["changes"], facts["deletes"]) == (
        False,
        ["spec.b"],
        ["metadata.annotations.a"],
    )
    assert patch("json", [{"op": "copy", "from": "/a", "path": "/b"}]).facts["object_known"] is False


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "replace", "path": "spec", "value": 1}],
        [{"op": "replace", "path": "x/spec", "value": 1}],
        [{"op": "replace", "value": 1}],
        [{"op": "move", "path": "/a"}],
        [{"op": "Replace", "path": "/a", "value": 1}],
        [{"op": ["add"], "path": "/a", "value": 1}],
        [{"path": "/a"}],
        ["add"],
        {"op": "add", "path": "/a"},
        [{"op": "add", "path": "/a" * 101, "value": 1}],
    ],
)
def test_what_is_no_json_patch_is_refused(operations: Any) -> None:
    with pytest.raises(NotReadError):
        patch("json", operations)


def test_no_more_paths_are_made_than_a_condition_could_see() -> None:
    many = {f"k{number}": "v" for number in range(20_000)}
    found = call("POST", CONFIGMAPS, {"metadata": {"name": "a"}, "data": many}, "application/json")
    assert len(found.facts["changes"]) == PATHS_MAX + 1
    deep: Any = 1
    for _ in range(100):
        deep = {"k" * 20_000: deep}
    assert len(patch("merge", {"a": deep, "b": [deep]}).facts["changes"]) == 1
