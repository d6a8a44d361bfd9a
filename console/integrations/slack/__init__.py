"""Slack: a message in a channel with the exact call and two buttons.

`channel` posts and updates messages, `blocks` says what they look like, `signature` makes sure that a click comes
from Slack, `clicks` takes clicks and comments to the desk. Sources: Slack's documentation of chat.postMessage,
chat.update, chat.postEphemeral, views.open, conversations.history, Block Kit, message metadata, interaction payloads,
rate limits and "Verifying requests from Slack".
"""

from console.integrations.slack.channel import SlackChannel
from console.integrations.slack.clicks import SlackClicks

__all__ = ["SlackChannel", "SlackClicks"]
