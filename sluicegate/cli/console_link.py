"""The link by which this terminal's user gets into the console's pages."""

from sluicegate.embedded.say import Say
from sluicegate.settings import Settings
from sluicegate.settings.approvals_block import public_url


def login_link(settings: Settings) -> str:
    """With the token behind `#`, which browsers send to nobody; without it where people log in at a provider, or
    where the token cannot be read. The token is new at each start of the console."""
    link = f"{public_url(settings.approvals)}/login"
    if settings.identity.mode != "none":
        return link
    try:
        return f"{link}#{(settings.data_dir / 'run' / 'approvals.token').read_text('ascii').strip()}"
    except OSError:
        return link


def telling_the_link(say: Say, settings: Settings) -> Say:
    """`say`, which says the link once everything is ready."""

    def tell(line: str) -> None:
        say(line)
        if line.startswith("ready:"):
            say(f"console in the browser: {login_link(settings)}")

    return tell
