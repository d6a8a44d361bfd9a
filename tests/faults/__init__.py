"""`make faults`: everything is killed under load, and what was lost is counted."""
