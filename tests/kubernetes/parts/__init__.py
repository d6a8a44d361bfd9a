"""What is proved, a module each: `run(bench)` does it and gives what to say, and what failed."""
