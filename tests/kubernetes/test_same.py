"""Outputs count as the same only when nothing but masked parts, ages and the twins' own names differ."""

import base64

import pytest

from tests.kubernetes.same import masked_parts, plain, same

PSEUDONYM = "[masked:k8s-secret:fca06b]"
DIRECT, THROUGH = "https://127.0.0.1:1", "https://localhost:2/k8s/cluster"


def test_a_pseudonym_stands_for_any_secret_and_for_nothing_else() -> None:
    assert same("password: hunter2\nname: a\n", f"password: {PSEUDONYM}\nname: a\n")
    assert not same("password: hunter2\nname: a\n", f"password: {PSEUDONYM}\nname: b\n")
    assert not same("password: \nname: a\n", f"password: {PSEUDONYM}\nname: a\n"), "there was nothing to mask"


def test_yaml_quotes_a_pseudonym_where_the_secret_needed_none() -> None:
    assert same("password: hunter2\n", f"password: '{PSEUDONYM}'\n")


def test_the_value_of_a_secret_is_a_pseudonym_in_base64() -> None:
    encoded = base64.b64encode(PSEUDONYM.encode()).decode()
    assert masked_parts(encoded) == 1
    assert same('{"password":"aHVudGVyMg=="}', f'{{"password":"{encoded}"}}')


def test_without_a_pseudonym_one_byte_makes_a_difference() -> None:
    assert not same("configmap/a created\n", "configmap/a  created\n")


@pytest.mark.parametrize(
    ("direct", "through"),
    [
        ("created in twin-d", "created in twin-t"),
        ('"uid": "ca2fb711-c61a-496d-8667-389677df1b58"', '"uid": "0b73896d-ed0e-4ba0-89ca-237674057250"'),
        ("resourceVersion: 12", "resourceVersion: 345"),
        ("web-69f749f565-dbw4d", "web-69f749f565-qbm4w"),
        ("at 2026-11-21T14:00:24Z", "at 2026-11-21T14:00:25Z"),
    ],
)
def test_names_ids_and_times_of_twins_are_left_out_of_the_comparison_of_twins_alone(
    direct: str, through: str
) -> None:
    assert plain(direct, DIRECT, twins=True) == plain(through, THROUGH, twins=True)
    assert plain(direct, DIRECT, twins=False) != plain(through, THROUGH, twins=False)


def test_ages_and_the_server_s_address_never_count() -> None:
    direct = plain(f"NAME   AGE\nweb    9s\nat {DIRECT}/api", DIRECT, twins=False)
    assert direct == plain(f"NAME   AGE\nweb    2m10s\nat {THROUGH}/api", THROUGH, twins=False)
