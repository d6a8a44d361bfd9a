"""Where people are: approvals told and decided in Slack, Teams, Jira, ServiceNow, and by signed webhooks.

The way of an approval, in order:

1. `courier` sees in the `desk` that one waits, and looks into the `book` whether it was told already;
2. the vendor's own package tells it (`showing` and `templates` say what a person sees), and the book notes where;
3. a person's word comes back as a signed callback, or is found by a poll of the ticket; the vendor's package makes
   sure whose it is, and takes nothing but the approval's id and the word from it;
4. `deciding` finds the person in the directory and asks the desk; what the desk says goes back to the person;
5. `courier` sees that it is settled, wherever that was done, and brings what was told up to date.

Whatever fails is tried again, counted, and after some tries a finding. Secrets are read by `secrets` when they are
used, and are in no message, log line or error. `whole` puts everything together.
"""
