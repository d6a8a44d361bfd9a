"""Microsoft Teams, in one of two ways.

A *bot* (registered with Azure Bot, installed in the team) posts an Adaptive Card by the Connector API and takes
clicks as invoke activities: `bot`, with `token` to speak and `identity` to know who speaks; `invokes` takes clicks.

A *workflow* ("when a Teams webhook request is received") needs no registration; it can post only: its cards link to
the console, and nobody decides in Teams, because nothing signed comes back from it: `workflow`.

`cards` says what both look like. Sources: Microsoft's documentation of the Bot Connector API and its authentication,
of universal actions for Adaptive Cards, and of workflows for Teams; the Adaptive Cards schema 1.4.
"""

from console.integrations.teams.bot import TeamsBotChannel
from console.integrations.teams.invokes import TeamsInvokes
from console.integrations.teams.workflow import TeamsWorkflowChannel

__all__ = ["TeamsBotChannel", "TeamsInvokes", "TeamsWorkflowChannel"]
