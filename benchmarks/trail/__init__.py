"""A trail of many frames: how fast it is stored, what it weighs, and how fast it answers.

drawing (frames as gateways and processors leave them) → storing (the sink's own way into the store) → asking (the
reader's questions, cold and warm) → report
"""
