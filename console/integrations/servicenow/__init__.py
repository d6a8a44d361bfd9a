"""ServiceNow: a record for each approval; who gives its decision field one of the configured values decides.

`channel` makes, comments and closes records, `watcher` finds who decided, `nudges` takes signed calls of a business
rule, which only make us look. Sources: ServiceNow's documentation of the Table API and of the tables sys_audit and
sys_journal_field.
"""

from console.integrations.servicenow.channel import ServiceNowChannel
from console.integrations.servicenow.nudges import servicenow_nudges
from console.integrations.servicenow.watcher import ServiceNowWatcher

__all__ = ["ServiceNowChannel", "ServiceNowWatcher", "servicenow_nudges"]
