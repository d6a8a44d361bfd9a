"""A list in pages of two, each continued by the token of the one before."""

from common import NAMESPACE, configmap, core, say

for number in range(5):
    core.create_namespaced_config_map(NAMESPACE, configmap(f"page-{number}", number=str(number)))
seen: list[str] = []
token = ""
while True:
    page = core.list_namespaced_config_map(
        NAMESPACE, label_selector="made-by=python", limit=2, _continue=token
    )
    seen += [item.metadata.name for item in page.items]
    say("page", len(page.items))
    token = page.metadata._continue
    if not token:
        break
say("all", seen)
