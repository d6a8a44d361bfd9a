"""Bodies as agents and clusters send them: JSON of one to two kilobytes, no two alike, most words rare."""

from __future__ import annotations

import random
from itertools import accumulate

_LETTERS = "bacodifugahejikolumanepiqurositavewoxizu"
_SYLLABLES = tuple(_LETTERS[at : at + 2] for at in range(0, len(_LETTERS), 2))
_WORDS = 6_000
_DOING = ("get", "list", "search", "apply", "delete", "restart")
_THINGS = (
    "pods",
    "orders",
    "invoices",
    "tickets",
    "nodes",
    "secrets",
    "customers",
    "alerts",
    "branches",
    "boards",
)
TOOLS = tuple(f"{verb}_{what}" for verb in _DOING for what in _THINGS)


def vocabulary() -> tuple[list[str], list[float]]:
    """(words, their cumulated weights): as in a language, a few are very common and most are rare."""
    chance = random.Random(1)
    words = sorted({"".join(chance.choices(_SYLLABLES, k=chance.randint(2, 5))) for _ in range(_WORDS)})
    chance.shuffle(words)
    return words, list(accumulate(1 / (rank + 2) for rank in range(len(words))))


class Bodies:
    """Draws bodies."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._words, self._weights = vocabulary()

    def words(self, count: int) -> str:
        """A sentence."""
        return " ".join(self._chance.choices(self._words, cum_weights=self._weights, k=count))

    def request(self, number: int, tool: str) -> bytes:
        """A call of a tool."""
        chance = self._chance
        return (
            f'{{"jsonrpc":"2.0","id":{number},"method":"tools/call","params":{{"name":"{tool}","arguments":'
            f'{{"namespace":"team-{chance.randrange(40)}","selector":"app={chance.choice(self._words)}",'
            f'"limit":{chance.randrange(500)},"reason":"{self.words(12)}","cursor":"{chance.getrandbits(128):032x}"}},'
            f'"_meta":{{"progressToken":"{chance.getrandbits(64):016x}"}}}}}}'
        ).encode()

    def answer(self, number: int, rare: str) -> bytes:
        """A result of some items; `rare` stands in the first one's text."""
        items = ",".join(self._item(rare if at == 0 else "") for at in range(self._chance.randint(3, 11)))
        return f'{{"jsonrpc":"2.0","id":{number},"result":{{"content":[{items}],"isError":false}}}}'.encode()

    def _item(self, rare: str) -> str:
        chance = self._chance
        return (
            f'{{"type":"text","uid":"{chance.getrandbits(96):024x}","name":"{chance.choice(self._words)}-'
            f'{chance.getrandbits(40):010x}","restarts":{chance.randrange(9)},"cpu":{chance.random():.4f},'
            f'"started":"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}T{chance.randrange(24):02}:'
            f'{chance.randrange(60):02}:00Z","text":"{rare and rare + " "}{self.words(12)}"}}'
        )
