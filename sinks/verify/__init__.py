"""Checks that the trail is what was recorded: every row, in its place, none lacking, under keys kept elsewhere.

Way of one row: a source (`live`, `bundle`) reads it as the store has it → `rebuild` encodes its columns again as the
record lay on the topic, and computes its digests → `partition` holds the leaf against the signed tree → `lanes` holds
it against the frames of its lane → `report` says what was found. Everything but the sources is pure.
"""
