"""How fast masking is: `python -m benchmarks.masking`."""
