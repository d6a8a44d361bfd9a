"""Notes, tree heads and proofs against Go's golang.org/x/mod/sumdb, both ways. Needs Go, which fetches the module.

python -m tests.sumdb
"""
