"""A witness: remembers the newest tree of each log that it knows, and cosigns only what extends it.

It is run by others than the log, with a key and a folder of its own: whoever owns all of the log cannot take back
what a witness has seen. Source: C2SP tlog-witness (add-checkpoint) and tlog-cosignature.
"""
