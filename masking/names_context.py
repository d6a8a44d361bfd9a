"""Names, organisations, places, ages and dates by what stands around them: the grammar that a model does not need.

Each rule is a pattern whose group `it` is masked. They are for prose and for records of persons, not for machine
formats; `names_text` decides what is prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from masking.names_lists import (
    COMPANY_ENDINGS,
    COUNTRIES,
    HONORIFICS,
    PEOPLES,
    STREET_HEADS,
    STREET_TAILS,
    STREETS,
    UPPER,
    alternatives,
)


class Entity(NamedTuple):
    """[start, end) of a text, and what it is."""

    start: int
    end: int
    kind: str


_GAP = r"[ \t]{1,3}"
_CAP = rf"[{UPPER}][\w’'-]{{0,30}}"
_INITIAL = rf"[{UPPER}]\.?"
_LINK = r"(?:de|del|della|der|den|van|von|da|di|dos|la|le|bin|al|el|ter|of|the)"
_NEXT = rf"{_GAP}(?:{_LINK}{_GAP}){{0,2}}(?:{_CAP}|{_INITIAL})"
_NAME, _FULL = rf"{_CAP}(?:{_NEXT}){{0,4}}", rf"{_CAP}(?:{_NEXT}){{1,4}}"
_THE = rf"(?:[Tt]he{_GAP})?(?:\d+{_GAP})?"
_ORG = rf"{_THE}{_CAP}(?:{_GAP}(?:(?:&|and|And|of){_GAP})?{_CAP}|{_GAP}\d+(?=\s)){{0,4}}(?:,{_GAP}Inc\b)?\.?"
_COUNTRY = rf"(?:{alternatives(COUNTRIES)})"
_PEOPLE = rf"(?:{alternatives(PEOPLES)})(?:e?s)?"
_COMPANY = alternatives(COMPANY_ENDINGS)
_STREET = alternatives(STREETS)
_HEAD = alternatives(STREET_HEADS)
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_STAMP = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?"
_NUMERIC = r"\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})"
_NTH = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d\d"


def _after(words: str) -> str:
    """Any of these words, whatever their case."""
    return rf"(?i:\b(?:{words}))"


_PERSONS = (
    rf"\b(?P<it>(?:{HONORIFICS})\b\.?{_GAP}{_NAME})",
    rf"\b(?P<it>(?:{HONORIFICS})\.)(?=\s)",
    _after(
        r"(?:my|his|her|their|whose|the|partner['’]s|wife['’]s|husband['’]s) name is|name['’]s|known as|named"
        r"|i am|i['’]m|this is|says|said|wrote|signed(?: by)?|written by|authored by|producer|ask for|attn:?|dear"
        r"|hi|hello|under|early|than|account of|on behalf of|partner['’]s name"
    )
    + rf",?\s{{1,3}}(?P<it>{_FULL})",
    _after(r"my name is|calls? me|called|says|said|early|name\?")
    + rf"\s{{1,3}}(?P<it>{_NAME})(?=[\s.,;!?\"”’]|$)",
    r"(?m)^[> \t]*+(?:Name|(?i:(?:full|first|last|given) name|surname|customer|patient|employee|contact))"
    rf"[ \t]*:[ \t]*(?P<it>{_NAME})[ \t]*$",
    rf"\b(?P<it>{_FULL})(?=,? (?:said|says|wrote|told|explained|points? out|pointed|replied|asked|will be|was born"
    r"|is the|concert|fan\b|version|et al|lives? (?:at|in)|lived))",
    rf"(?<=[a-z,] )(?P<it>{_FULL})(?=['’]s\b)",
    _after(
        r"founders|members|authors|attendees|participants|employees|players|guests|directors|partners|managers"
        r"|students|owners|reviewers"
    )
    + rf":? (?P<it>{_NAME}(?:, {_NAME})+,? (?:and|&) {_NAME})",
    _after(r"sincerely|regards|cheers|thanks|thank you|yours|best")
    + rf"[,!]?[ \t]*+\n[\n \t]*+(?P<it>{_NAME})[ \t]*(?:\n|$)",
)

_ORGANISATIONS = (
    rf"\b(?P<it>{_THE}(?:(?:{_CAP}|and|&|of|And){_GAP}){{0,4}}{_CAP},?{_GAP}(?:{_COMPANY})\b\.?)",
    _after(
        r"work(?:s|ed|ing)? (?:for|at)|employed (?:by|at)|joined|(?:years?|months?) at|c[et]o of|founder of|became"
        r"|customer of|hired by|owned by|acquired by|employee (?:of|at)"
    )
    + rf" (?P<it>{_ORG})",
    rf"\b[Tt]he (?P<it>{_ORG})(?= (?:office|website|headquarters|branch|account|team|board)\b)",
    rf"\b(?P<it>{_ORG})(?= (?:is an? (?:[\w-]+ ){{0,3}}(?:company|agency|bank|firm|multinational|corporation"
    r"|start-?up|business|charity)|is the brainchild|invested|announced|acquired|merged))",
    rf"\bfrom (?P<it>{_ORG})(?= is the| will)",
    rf"(?<![\w-])(?P<it>[{UPPER}][a-z]{{2,}}-[{UPPER}][a-z]{{2,}})(?![\w-])",
    rf"\b(?P<it>{_CAP}, {_CAP} and {_CAP})(?=\n| (?i:is|was|has|invested|office|website)|$)",
)

_ACRONYM = (
    r"(?:JSON|YAML|HTTPS?|HTML|ASCII|UNIX|LINUX|NULL|TRUE|FALSE|ERROR|WARN|WARNING|INFO|DEBUG|README|TODO)\b"
)

_PLACES = (
    rf"(?<![\w-])(?P<it>{_COUNTRY}(?: \([A-Z][a-z]+\))?)(?![\w-])",
    _after(
        r"(?:live[sd]?|living|born|based|located|resides?|arrived?|stay(?:ed|ing)?|raised|grew up|office|house|home"
        r"|i am|i['’]m|currently) in|(?:moved?|moving|relocat\w+) (?:here |there )?(?:from|to)"
        r"|travel(?:l?ing|led|ed|s)? to"
        r"|(?:flew|fly|flying|flight|returned|went|coming|come|trip|drove|heading) to|originally from"
        r"|c[oa]mes? from|citizen of|resident of|native of|visit(?:ing|ed)?"
    )
    + rf" (?P<it>{_NAME})",
    rf"\b(?:in|to|at|from|near) (?!{_ACRONYM})"
    rf"(?P<it>[{UPPER}]{{4,}}(?:[ '’-]{{1,2}}[{UPPER}]{{2,}}){{0,3}})(?=[\s,.;?!]|$)",
)

_NATIONALITIES = (
    rf"(?<![\w-])(?i:(?P<it>{_PEOPLE}))(?![\w-])(?! [Tt]ime)",
    r"(?<![\w-])(?P<it>Polish|Poles)(?![\w-])",  # in small letters they are other words
)

_ADDRESSES = (
    r"\b(?P<it>(?i:apt|apartment|suite|unit|room|flat|floor)\b\.?[ ]#?\d{1,5}[A-Za-z]?)\b",
    r"\b(?P<it>(?:PSC|CMR|Unit|UNIT) ?\d+,? (?i:box) ?\d+(?:\s+(?:APO|FPO|DPO) (?:AA|AE|AP) \d{5})?)",
    r"\b(?P<it>(?:APO|FPO|DPO) (?:AA|AE|AP) \d{5})",
    r"\b(?P<it>(?i:p\.? ?o\.? ?box|postfach|boîte postale|BP) \d+)",
    rf"\b(?P<it>\d{{1,6}}(?:[ -]\d{{1,5}})?{_GAP}(?:{_CAP}{_GAP}){{1,4}}(?:{_STREET})\b\.?)",
    rf"(?P<it>\b(?:\d{{1,6}} )?(?:\d{{1,4}} )?(?i:{_HEAD})[ ](?:[\w’'.]+[ ]){{1,4}}\d{{1,5}}\b)",
    rf"(?P<it>\b(?:\d{{1,6}} )?[{UPPER}][\w’'-]*{STREET_TAILS} \d{{1,4}}[a-z]?\b)",
    _after(
        r"(?:live[sd]?|resides?) (?:in|at)|(?:sent|deliver\w*|ship\w*|mail\w*|send (?:it|\w+ \w+|a new one)) to"
        r"|(?:billing |shipping |home |postal )?address(?: is| was|:)|(?:is|are|off) at"
    )
    + r"\s{1,5}(?P<it>(?:PSC )?\d{2,6}[^.?!;]{4,90}?)(?=[.?!;](?:\s|$)|$|\s+for this)",
)

_DOCUMENTS = (
    _after(r"passport|driver['’]?s? licen[cs]e|licen[cs]e|national id|identity card|tax id|id card")
    + r"(?i: number| no\.?| #)?(?i: is|:)? (?P<it>(?=[A-Z0-9-]*\d)[A-Z0-9-]{5,20})\b",
)

_AGES = (
    r"\b(?P<it>\d{1,3})(?=[ -]?(?i:years?|yrs?)[ -](?i:old)\b)",
    r"\b(?P<it>\d{1,3})(?= ?(?i:y/?o|yo)\b)",
    _after(r"aged?(?: of| is|:)?|turn(?:s|ed|ing)?|when (?:he|she|i|they) (?:was|were)|birthday")
    + r" (?P<it>\d{1,3})(?![\d%:,]|\.\d)",
)

_DATES = (
    _after(r"on|dated?|since|until|born|dob|birth(?:day|date)?|it['’]s|was|is|from")
    + rf":?,? (?P<it>{_STAMP}|{_NUMERIC})(?!\d)",
    _after(r"in|since|during|by|until|from|around|circa|of|before|after|year")
    + rf" (?P<it>{_YEAR})(?![\d-])(?=[\s,.;:!?)]|$)",
    rf"\b(?P<it>{_NTH} (?:of )?{_MONTH},? {_YEAR})\b",
    rf"\b(?P<it>{_MONTH} {_NTH},? {_YEAR})\b",
    rf"\b(?P<it>{_WEEKDAY})(?= (?:morning|afternoon|evening|night|at)\b)",
    rf"\b(?:[Oo]n|[Mm]eet|[Tt]his|[Nn]ext|[Ll]ast|[Bb]y|[Uu]ntil) (?P<it>{_WEEKDAY})\b",
)

_RULES = {
    "person": _PERSONS,
    "organisation": _ORGANISATIONS,
    "place": _PLACES,
    "nationality": _NATIONALITIES,
    "address": _ADDRESSES,
    "document": _DOCUMENTS,
    "age": _AGES,
    "date": _DATES,
}

_COMPILED = [(kind, re.compile(pattern)) for kind, patterns in _RULES.items() for pattern in patterns]

COMMON = frozenset(
    re.findall(
        r"\w+",
        """i the a an this that these those my your his her our their its it he she we you they what where when
        who why how and or but if in on at to from of for by with yes no not please here there note hello hi
        dear thanks thank will can could would should today tomorrow yesterday sometimes people maybe monday
        tuesday wednesday thursday friday saturday sunday""",
    )
)
"""Words with a capital at the beginning of a sentence."""


def in_context(text: str) -> Iterator[Entity]:
    """What the rules find; they may overlap."""
    for kind, pattern in _COMPILED:
        for match in pattern.finditer(text):
            start, end = match.span("it")
            value = match["it"]
            if kind == "date" or value.lower() not in COMMON:
                yield Entity(start, end, kind)
