"""Alerts and responses: who is told of a finding, and what is done about it before a person is there.

The way of a finding, in order:

1. `app` takes it from topic `findings`, and who wants silence from topic `control`, both in one worker;
2. `responses` says whether its rule's response is carried out: records for `admin` and `control`;
3. `matching` says which routes want it and who silenced it, `board` puts it on the letters of their URLs;
4. `app` writes the rows of the board to its table and acknowledges: from here on nothing is lost;
5. `postman` watches the board, `text` writes a letter that is due, `delivery` gives it to apprise in a thread;
6. what was delivered leaves the table; what was not stays, and is tried again.

A crash between delivery and table tells the same thing once more; nothing else does.
"""
