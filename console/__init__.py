"""The console: where people decide on approvals. Its own process; the way of a decision, in order:

1. `follower` reads what was requested, decided, delegated and settled, from every partition and without a group;
2. `shelf` keeps what holds of each approval, `delegations` who may decide instead of whom: believed by signature;
3. `api` lets a person in, shows what that person may see (`sight`), and takes a decision;
4. `desk` records it as an act, signs it, writes it, and waits for the answer of the approvals processor;
5. the answer goes to the person, and every change to all who follow (`subscribe`, the feed of the API).

The console judges nothing: whether a decision counts is said by the processor alone. What the API refuses by itself
it refuses for the sake of privacy or of its own limits.
"""
