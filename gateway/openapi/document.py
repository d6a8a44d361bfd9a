"""An OpenAPI document: read, and checked as far as operations are named by it.

Sources: OpenAPI Specification 3.2.0, 3.1.1, 3.0.4 and 2.0. What clients send is not checked against it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

DOCUMENT_BYTES_MAX = 64 * 1024 * 1024
REFERENCES_MAX = 8  # one that leads to another
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class OpenApiError(ValueError):
    """A document cannot be used. The text says which, where in it, and what to do."""

    def __init__(self, file: Path | str, where: str, what: str) -> None:
        place = f"{file}, at {where}" if where else str(file)
        super().__init__(f"OpenAPI document {place}: {what}")


def read_document(file: Path) -> Mapping[str, Any]:
    """The document in a JSON or YAML file. Raises OpenApiError."""
    try:
        if file.stat().st_size > DOCUMENT_BYTES_MAX:
            raise OpenApiError(
                file, "", f"it is larger than {DOCUMENT_BYTES_MAX} bytes; leave out what is not used"
            )
        raw = file.read_bytes()
    except OSError as exc:
        raise OpenApiError(file, "", f"it cannot be read ({exc.strerror}); correct openapi_file") from exc
    document = _parsed(file, raw)
    if not isinstance(document, dict):
        raise OpenApiError(file, "", "it is no object; give the API's own document")
    version = str(document.get("openapi") or document.get("swagger") or "")
    if not version.startswith(("3.", "2.")):
        raise OpenApiError(file, "", f"it says version {version or 'none'}; 2.0 and 3.x can be read")
    if not isinstance(document.get("paths"), dict):
        raise OpenApiError(file, "#/paths", "it has no paths, so it names no operation")
    return document


def _parsed(file: Path, raw: bytes) -> Any:
    try:
        if raw.lstrip()[:1] == b"{":
            return json.loads(raw)
        return yaml.load(raw, Loader=_LOADER)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 0
        raise OpenApiError(file, f"line {line}", f"it is not YAML: {exc.problem}") from exc
    except json.JSONDecodeError as exc:
        raise OpenApiError(file, f"line {exc.lineno}", f"it is not JSON: {exc.msg}") from exc
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as exc:
        raise OpenApiError(file, "", f"it cannot be parsed: {type(exc).__name__}") from exc


def base_paths(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths under which its servers have the API, in their order; `/` is ''."""
    if "swagger" in document:
        return (str(document.get("basePath") or "").rstrip("/"),)
    servers = document.get("servers")
    listed = servers if isinstance(servers, list) else ()
    return tuple(_path_of(each) for each in listed if isinstance(each, dict)) or ("",)


def _path_of(server: Mapping[str, Any]) -> str:
    url = str(server.get("url") or "")
    variables = server.get("variables")
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        if isinstance(variable, dict):
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return ""


def resolved(file: Path, document: Mapping[str, Any], item: Any, where: str) -> Mapping[str, Any]:
    """A path item, its reference followed. Raises OpenApiError where that leads out of the document."""
    for _ in range(REFERENCES_MAX):
        if not isinstance(item, dict):
            raise OpenApiError(file, where, "it is no object")
        reference = item.get("$ref")
        if reference is None:
            return item
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise OpenApiError(
                file, where, "it refers to another file; give one document that holds everything"
            )
        item = document
        for part in reference[2:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            item = item.get(name) if isinstance(item, dict) else None
    raise OpenApiError(file, where, "its references lead in a circle")
