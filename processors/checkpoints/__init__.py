"""Checkpoints: signed tree heads over topic `audit`, so that nobody changes what was recorded without being seen.

The way of one record of `audit`, in order:

1. `checkpointer` reads it, as the one of the group that has its partition; `log` makes a leaf of it (a hash);
2. every second, or 1,000 records, `log` gives a draft: the next tree head and the leaves that it adds;
3. the draft is written down where whoever has the partition next finds it (the group's commit metadata, `intent`)
   and on this machine (`book`), and only then signed: two at once can never sign two histories unseen;
4. the signed checkpoint goes to topic `checkpoints`, for ever, and the sink stores it;
5. `anchoring` brings the newest checkpoint to places that nobody of us can change: `anchors`.

Whoever takes a partition over reads back what was signed (`readback`), reads the newest signed records of `audit`
once more (`opening`), and signs nothing until the signed roots come out of them. A history that does not agree with
what was signed is refused: `refusal`.
"""
