"""Jira Cloud: an issue for each approval; who moves it into one of the configured statuses decides.

`channel` opens issues, comments and closes them, `document` makes what they say, `watcher` finds who moved them
(changelog) and what they commented, `nudges` takes Jira's webhooks, which only make us look. Sources: Atlassian's
documentation of the Jira Cloud REST API version 3, of the Atlassian Document Format, and of webhooks.
"""

from console.integrations.jira.channel import JiraChannel
from console.integrations.jira.nudges import jira_nudges
from console.integrations.jira.watcher import JiraWatcher

__all__ = ["JiraChannel", "JiraWatcher", "jira_nudges"]
