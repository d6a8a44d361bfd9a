"""What the client raises: reasons and codes are those of the API server."""

import json

from common import NAMESPACE, configmap, core, say
from kubernetes.client.exceptions import ApiException


def told(error: ApiException) -> dict[str, object]:
    """The Status in its body."""
    body = json.loads(error.body)
    return {"status": error.status, "reason": body["reason"], "message": body["message"]}


for act in (
    lambda: core.read_namespaced_pod("nothing", NAMESPACE),
    lambda: core.create_namespaced_config_map("no-such-namespace", configmap("a")),
    lambda: core.create_namespaced_config_map(NAMESPACE, configmap("Not A Name")),
):
    try:
        act()
    except ApiException as error:
        say("refused", told(error))
