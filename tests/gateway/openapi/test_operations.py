"""Requests against small documents: which operation each is of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.openapi import OpenApiError, operations_of

PETS: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1"},
    "servers": [{"url": "https://{region}.pets.example/api/v3", "variables": {"region": {"default": "eu"}}}],
    "paths": {
        "/pets": {
            "get": {"operationId": "listPets", "summary": "All pets", "tags": ["pets"]},
            "post": {"operationId": "addPet"},
        },
        "/pets/mine": {"get": {"operationId": "listMyPets"}},
        "/pets/{id}": {
            "parameters": [{"name": "id", "in": "path"}],
            "get": {"operationId": "getPet"},
            "delete": {},
        },
        "/pets/{id}:feed": {"post": {"operationId": "feedPet"}},
        "/pets/{id}/photos/{name}.{format}": {"get": {"operationId": "getPhoto"}},
        "/pets/{id}/photos/{name}": {"put": {"operationId": "putPhoto"}},
        "/owners/{owner}/pets": {"$ref": "#/components/pathItems/owned"},
        "x-internal": {"get": "no path"},
    },
    "components": {"pathItems": {"owned": {"get": {"operationId": "listOwned"}}}},
}
UPSTREAM = "https://eu.pets.example/api/v3"


def written(folder: Path, document: object, name: str = "api.json") -> Path:
    """The document in a file, as JSON or YAML by the name's end."""
    file = folder / name
    file.write_text(json.dumps(document) if name.endswith("json") else yaml.safe_dump(document))
    return file


@pytest.mark.parametrize("name", ["api.json", "api.yaml"])
@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("GET", "/pets", "listPets"),
        ("HEAD", "/pets", "listPets"),
        ("POST", "/pets", "addPet"),
        ("GET", "/pets/", "listPets"),
        ("GET", "/pets/mine", "listMyPets"),
        ("GET", "/pets/7", "getPet"),
        ("GET", "/pets/m%C3%BC", "getPet"),
        ("DELETE", "/pets/7", "DELETE /pets/{id}"),
        ("DELETE", "/pets/mine", None),
        ("POST", "/pets/7:feed", "feedPet"),
        ("GET", "/pets/7/photos/front.jpg", "getPhoto"),
        ("PUT", "/pets/7/photos/front", "putPhoto"),
        ("GET", "/owners/ann/pets", "listOwned"),
        ("PATCH", "/pets", None),
        ("GET", "/pets/7/toys", None),
        ("GET", "/api/v3/pets", None),
        ("GET", "/", None),
        ("OPTIONS", "*", None),
    ],
)
def test_a_request_is_of_the_operation_with_the_most_concrete_path(
    tmp_path: Path, name: str, method: str, target: str, operation: str | None
) -> None:
    found = operations_of(written(tmp_path, PETS, name), UPSTREAM).of(method, target)
    assert (found.name if found else None) == operation


@pytest.mark.parametrize(
    ("target", "operation"),
    [
        ("/files/a", "getFile"),
        ("/files/a/b/c.txt", "getFile"),
        ("/files/history", "getHistory"),
        ("/branches/main/rules", "getRules"),
        ("/branches/feature/x/rules", "getRules"),
        ("/branches/feature/x", "getBranch"),
        ("/files/", None),
    ],
)
def test_a_parameter_that_may_hold_slashes_takes_them(
    tmp_path: Path, target: str, operation: str | None
) -> None:
    wide = {"in": "path", "x-multi-segment": True}
    document = {
        "openapi": "3.0.0",
        "paths": {
            "/files/{path}": {"get": {"operationId": "getFile", "parameters": [{"name": "path", **wide}]}},
            "/files/history": {"get": {"operationId": "getHistory"}},
            "/branches/{branch}": {
                "parameters": [{"$ref": "#/components/parameters/branch"}],
                "get": {"operationId": "getBranch"},
            },
            "/branches/{branch}/rules": {
                "get": {"operationId": "getRules", "parameters": [{"$ref": "#/components/parameters/branch"}]}
            },
        },
        "components": {"parameters": {"branch": {"name": "branch", **wide}}},
    }
    found = operations_of(written(tmp_path, document), "https://api.example").of("GET", target)
    assert (found.name if found else None) == operation


def test_an_operation_says_its_route_summary_tags_and_path_parameters(tmp_path: Path) -> None:
    operations = operations_of(written(tmp_path, PETS), UPSTREAM)
    found = operations.of("GET", "/pets")
    assert found is not None
    assert (found.route, found.summary, found.tags) == ("/pets", "All pets", ("pets",))
    one = operations.of("GET", "/pets/m%C3%BC")
    assert one is not None
    assert one.parameters(operations.path_of("/pets/m%C3%BC")) == {"id": "mü"}


@pytest.mark.parametrize(
    ("servers", "upstream", "target"),
    [
        ([{"url": "/api"}], "https://gitlab.example/api/v4", "/projects"),
        ([{"url": "/api"}], "https://gitlab.example", "/api/v4/projects"),
        ([{"url": "https://gitlab.com/api"}], "http://127.0.0.1:8080/api/", "/v4/projects"),
        ([], "https://gitlab.example", "/v4/projects"),
        ([], "https://gitlab.example/v4", "/projects"),
        ([], "https://proxy.example/gitlab", "/v4/projects"),
        ([{"url": "https://gitlab.com/api"}], "https://proxy.example/gitlab", "/v4/projects"),
    ],
)
def test_the_path_of_the_upstream_and_of_the_documents_servers_are_brought_together(
    tmp_path: Path, servers: list[dict[str, str]], upstream: str, target: str
) -> None:
    document = {
        "openapi": "3.0.0",
        "servers": servers,
        "paths": {"/v4/projects": {"get": {"operationId": "list"}}},
    }
    found = operations_of(written(tmp_path, document), upstream).of("GET", target)
    assert found is not None


def test_no_client_chooses_how_paths_are_brought_together(tmp_path: Path) -> None:
    document = {
        "swagger": "2.0",
        "basePath": "/api",
        "paths": {"/projects": {"get": {"operationId": "list"}}, "/x": {"$ref": "#/paths/~1projects"}},
    }
    operations = operations_of(
        written(tmp_path, document | {"paths": {"/projects": {"get": {}}}}), "https://h/api"
    )
    assert operations.of("GET", "/projects") is not None
    assert operations.of("GET", "/api/projects") is None
    outside = operations_of(written(tmp_path, document | {"paths": {"/projects": {"get": {}}}}), "https://h")
    assert outside.of("GET", "/projects") is None
    assert outside.of("GET", "/apiprojects") is None


def _with(path: str, item: object) -> dict[str, object]:
    return {"openapi": "3.0.0", "paths": {path: item}}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "it is no object"),
        ({"openapi": "4.0.0", "paths": {}}, "says version 4.0.0"),
        ({"paths": {}}, "says version none"),
        ({"openapi": "3.0.0"}, "at #/paths: it has no paths"),
        (_with("pets", {"get": {}}), "at #/paths/pets/get: a path begins with /"),
        (_with("/{id", {"get": {}}), "at #/paths/~1{id/get: the braces in '{id' do not close"),
        (_with("/a", {"$ref": "other.yaml#/a"}), "at #/paths/~1a: it refers to another file"),
        (_with("/a", {"$ref": "#/paths/~1a"}), "its references lead in a circle"),
        (_with("/a", {"$ref": "#/nowhere"}), "it is no object"),
        (_with("/a", {"get": []}), "at #/paths/~1a/get: it is no object"),
        (
            {
                "openapi": "3.0.0",
                "paths": {"/a": {"get": {"operationId": "x"}}, "/b": {"get": {"operationId": "x"}}},
            },
            "operationId x stands at #/paths/~1a/get too",
        ),
        ({"openapi": "3.0.0", "paths": {"/{a}": {"get": {}}, "/{b}": {"get": {}}}}, "the same path as /{a}"),
    ],
)
def test_what_is_wrong_with_a_document_is_said_with_its_place(
    tmp_path: Path, document: object, said: str
) -> None:
    with pytest.raises(OpenApiError) as raised:
        operations_of(written(tmp_path, document), "https://api.example")
    assert said in str(raised.value)
    assert "api.json" in str(raised.value)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"openapi": ', "line 1: it is not JSON"),
        (b"openapi: [\n", "it is not YAML"),
        (b"\xff\xfe\x00", "cannot be parsed"),
    ],
)
def test_a_file_that_is_no_document_says_where_it_ceases_to_be_one(
    tmp_path: Path, raw: bytes, said: str
) -> None:
    file = tmp_path / "api.txt"
    file.write_bytes(raw)
    with pytest.raises(OpenApiError, match=said):
        operations_of(file, "https://api.example")


def test_a_missing_file_is_said_with_the_setting_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(OpenApiError, match="correct openapi_file"):
        operations_of(tmp_path / "none.yaml", "https://api.example")
