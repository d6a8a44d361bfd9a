"""`python -m masking [--profile P] [--explain]`: the filter of `masking.cli`."""

import argparse
import sys

from masking.cli import run
from masking.profiles import PROFILES

parser = argparse.ArgumentParser(prog="python -m masking", description="mask JSON lines {id, text}")
parser.add_argument("--profile", default="secrets", choices=sorted(PROFILES))
parser.add_argument("--explain", action="store_true", help="say for each line what was masked, and why")
arguments = parser.parse_args()
sys.exit(run(sys.stdin, sys.stdout, arguments.profile, arguments.explain))
