"""What the guide to HTTP APIs shows loads and does what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gateway.openapi import operations_of
from gateway.policy import load_policy
from gateway.settings import ConnectionKind
from sluicegate.settings import load

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "http-apis.md"
DOCUMENT = {
    "swagger": "2.0",
    "basePath": "/api",
    "paths": {"/v4/projects/{id}": {"delete": {"operationId": "deleteApiV4ProjectsId"}}},
}


def test_the_guides_configuration_and_policy_load_and_its_document_names_operations(tmp_path: Path) -> None:
    config, policy = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    for name, content in (
        ("sluicegate.yaml", "identity: {mode: none}\n" + config),
        ("policies/gitlab.yaml", policy),
        ("documents/gitlab.yaml", json.dumps(DOCUMENT)),
        ("secrets/gitlab-token", "token"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    (connection,) = load(tmp_path / "sluicegate.yaml", {}, files=True).gateway_settings().connections
    assert connection.kind == ConnectionKind.HTTP
    assert connection.openapi_file is not None
    assert connection.upstream is not None
    named = operations_of(connection.openapi_file, connection.upstream).of("DELETE", "/projects/7")
    assert named is not None
    assert named.name == "deleteApiV4ProjectsId"
    assert load_policy(tmp_path / "policies" / "gitlab.yaml", ("secrets",)).version
