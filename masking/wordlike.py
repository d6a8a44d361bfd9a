"""How much a string reads like words: the mean of how common its letter pairs are, 0 (never) to 9.

Words and names of identifiers lie above 4.5, keys of a random generator around 2.5. The table counts the
letter pairs of some 17,000 words in the documentation strings and identifiers of the Python standard
library; its row is the first letter, its column the second, its digit nine plus the binary logarithm of
the share.
"""

from __future__ import annotations

import re
from operator import add

_PAIRS = (
    "04550240403655040656332230"
    "63436121640733540553601040"
    "60326116405532710536410030"
    "53347320710423520454410120"
    "52563430201546242665133420"
    "50335610700522620544501030"
    "51327245500535420653521001"
    "71137100601333610435400030"
    "43544440000547540456040304"
    "60437100403201730342701020"
    "43338341600504431363314020"
    "61247200700612630144410050"
    "74137100602342660143400020"
    "51566461503323520156430010"
    "34551330303557450654534200"
    "61236303501611650645402040"
    "10132202110313210442912000"
    "61447230603343630455321040"
    "41527225603322451257512030"
    "62437205601332530654412041"
    "45435330400657350656000000"
    "72208200600132420331001000"
    "62346305700315521653113100"
    "43536403601431360347121431"
    "24445332500556470466134102"
    "50228300600322520233101020"
)
_TABLE = {
    chr(97 + row) + chr(97 + column): int(_PAIRS[26 * row + column])
    for row in range(26)
    for column in range(26)
}
_SCORE = _TABLE.__getitem__
_RUN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LONG_RUN = re.compile(r"[A-Z]{3,}(?![a-z])|[A-Z][a-z]{2,}|[a-z]{3,}")
"""Those of three letters or more."""
NEUTRAL = 4.0


def wordlike(value: str) -> float:
    """The mean pair score over all runs of letters of three or more; NEUTRAL where there are none."""
    total = pairs = 0
    for run in _LONG_RUN.findall(value[:200]):
        low = run.lower()
        total += sum(map(_SCORE, map(add, low, low[1:])))
        pairs += len(low) - 1
    return total / pairs if pairs else NEUTRAL


def words(name: str) -> list[str]:
    """The words of an identifier in any case style, in lower case: `DB_passWord2` is db, pass, word."""
    return [run.lower() for run in _RUN.findall(name)]
