"""Identifiers of persons: by check digits, strict form, or the word before them; off unless the profile
says so.
"""

import pytest

import masking
from masking import checksums
from masking.pii import identifiers

MASKER = masking.Masker(b"a key for tests, 32 bytes long..", "secrets+pii")

PERSONAL = {
    "card": "paid with 4111 1111 1111 1111 yesterday",
    "iban": "my IBAN is GB82 WEST 1234 5698 7654 32, thanks",
    "us-ssn": "SSN 536-22-8726",
    "email": "write to ada.lovelace@analytical.org today",
    "phone": "call me at +44 20 7946 0958 please",
    "ip-address": "from 8.8.4.4 at noon",
    "es-dni": "DNI 12345678Z",
    "fr-nir": "numéro 1 84 12 76 451 089 46",
    "it-codice-fiscale": "CF RSSMRA85T10A562S",
    "ch-ahv": "AHV 756.9217.0769.85",
    "br-cpf": "CPF 529.982.247-25",
    "gb-nino": "NI number AB 12 34 56 C",
    "gb-nhs": "NHS number 943 476 5919",
    "de-steuer-id": "Steuer-ID 86 095 742 719",
    "nl-bsn": "BSN 1112.22.333",
    "pl-pesel": "PESEL 44051401359",
    "ca-sin": "SIN 046 454 286",
    "in-aadhaar": "Aadhaar 2341 2341 2346",
    "postal-code": "my zip code is 90210",
    "passport": "passport number: X1234567",
    "driver-license": "driver's license no. D1234567",
}


@pytest.mark.parametrize("rule", PERSONAL)
def test_an_identifier_of_each_kind_is_masked(rule: str) -> None:
    assert [r.rule for r in MASKER.mask(PERSONAL[rule]).redactions] == [rule]


@pytest.mark.parametrize("rule", PERSONAL)
def test_the_profile_secrets_leaves_personal_data(rule: str) -> None:
    assert masking.mask(PERSONAL[rule], "secrets").redactions == ()


@pytest.mark.parametrize(
    "text",
    [
        "paid with 4111 1111 1111 1112",
        "GB82 WEST 1234 5698 7654 33",
        "000-12-3456",
        "pod 10.2.3.4 on node 192.168.1.7",
        "resourceVersion: 285098756",
        "uid: 6e85df08-7592-7b0f-e339-d309a930d55d",
        "12345678A",
        "2026-11-01T10:00:00Z took 1730455200123 ms",
        "image: registry/app:1.27.3-20261101",
        "sa@project.iam.gserviceaccount.com",
        "git@github.com:org/repo.git",
        "sha256:56f4d266c23e3f74fbe588a2ba8fa840347a84be5c1a60c55cdbaaccb607d3f6",
        "cpu: 250m, memory: 1073741824",
    ],
)
def test_what_only_looks_like_an_identifier_stays(text: str) -> None:
    assert MASKER.mask(text).text == text


def test_identifiers_tell_spans_in_characters() -> None:
    text = "é ada@analytical.org"
    assert identifiers(text) == [(2, 20, "email")]


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (checksums.luhn, "4111111111111111", "4111111111111112"),
        (checksums.iban, "DE89370400440532013000", "DE89370400440532013001"),
        (checksums.nhs, "9434765919", "9434765918"),
        (checksums.pesel, "44051401359", "44051401358"),
        (checksums.bsn, "111222333", "111222334"),
        (checksums.dni, "X1234567L", "X1234567A"),
        (checksums.nir, "184127645108946", "184127645108947"),
        (checksums.steuer_id, "86095742719", "86095742718"),
        (checksums.cpf, "52998224725", "52998224726"),
        (checksums.verhoeff, "234123412346", "234123412347"),
        (checksums.codice_fiscale, "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
        (checksums.ahv, "7569217076985", "7569217076986"),
        (checksums.us_ssn, "536228726", "666228726"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_check_digit_tells_right_from_wrong(check: object, right: str, wrong: str) -> None:
    assert callable(check)
    assert check(right)
    assert not check(wrong)
