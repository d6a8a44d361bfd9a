"""What is said at the end: what a person may do while the demo is up."""

import sys
from pathlib import Path

from sluicegate.cli.console_link import login_link
from sluicegate.cli.options import DEFAULT_FILE
from sluicegate.demo.config import CONNECTION, console_url, gateway_url, provider_address
from sluicegate.settings import Settings

LESS = """\
The configuration has `identity: {mode: none}`: nobody was asked who they are, so no rule could tell one person from
another. Move it away and run the demo again to see two people, and what each of them may do."""


def next_steps(settings: Settings, config: Path, session_id: str, denied: str = "") -> str:
    """Commands to try, as text. `denied` is the id of an exchange that policy denied, '' for none."""
    option = "" if config == DEFAULT_FILE else f" --config {config}"
    people = provider_address(settings) is not None
    url = gateway_url(settings)
    sql = "SELECT principal, method, outcome, count() FROM v_exchanges GROUP BY ALL ORDER BY ALL"
    return f"""\
In a browser: {login_link(settings)}{" (press alice or bob)" if people else ""}
In another terminal:
  sluicegate sessions replay {session_id}{option}
  sluicegate query "{sql}"{option}
  sluicegate completeness{option}
{_who(option, denied) if people else LESS}
Your own MCP client: point it at {url} (Streamable HTTP), for example
  {{"mcpServers": {{"shop": {{"type": "http", "url": "{url}"}}}}}}
{"  It opens the login page in a browser: press alice or bob." if people else "  Nothing else is needed."}
The agent again:
  {sys.executable} -m sluicegate.demo.agent --url {url} --console {console_url(settings)}
Ctrl-C stops everything; what was recorded stays in {settings.data_dir}."""


def _who(option: str, denied: str) -> str:
    explain = f"sluicegate policy explain {denied}" if denied else "sluicegate policy explain EXCHANGE"
    return f"""\
Who may do what:
  {explain}{option}
  sluicegate admin list{option}
  sluicegate login --issuer people --connection {CONNECTION} --purpose "looking around"{option}
  curl -H "Authorization: Bearer $(sluicegate token {CONNECTION})" …
  sluicegate principals block bob --reason "seen enough"{option}"""
