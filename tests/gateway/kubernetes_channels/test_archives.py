"""kubectl cp: a tar archive stays one, whatever is masked in it."""

import io
import itertools
import os
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateway.kubernetes_channels.conversations import (
    attributes_of,
    conversation,
    printed,
    recorded,
    seen,
    typed,
)

SETTINGS = b"colour=blue\nDB_PASSWORD=hunter2xyzzy\nmode=fast\n"
LONG = "a/" + "b" * 90 + "/" + "c" * 80 + "/settings.env"


def archive(form: int = tarfile.PAX_FORMAT, extra: tuple[tuple[str, bytes], ...] = ()) -> bytes:
    """An archive with text, noise, an empty file and a long name."""
    out = io.BytesIO()
    members = (
        ("app/settings.env", SETTINGS),
        ("app/noise", bytes(range(256)) * 9),
        ("empty", b""),
        (LONG, SETTINGS),
    )
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for name, content in (*members, *extra):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def contents(raw: bytes) -> dict[str, bytes]:
    """Its members, read with all checks of tarfile."""
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:", errorlevel=2) as tar:
        read = {}
        for member in tar.getmembers():
            file = tar.extractfile(member)
            assert file is not None
            read[member.name] = file.read()
        return read


def messages(raw: bytes, size: int) -> list[bytes]:
    """It as messages of this size."""
    return [raw[at : at + size] for at in range(0, len(raw), size)]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("size", [100, 511, 512, 1000, 32768])
@pytest.mark.parametrize("quiet", [False, True])
def test_an_archive_stays_valid_and_loses_its_secrets(form: int, size: int, quiet: bool) -> None:
    raw = archive(form)
    masked = seen(printed(conversation(), *messages(raw, size), quiet=quiet))
    assert len(masked) == len(raw)
    assert b"hunter2xyzzy" not in masked
    before, after = contents(raw), contents(masked)
    assert list(after) == list(before)
    for name, content in before.items():
        assert len(after[name]) == len(content)
        if SETTINGS not in content:
            assert after[name] == content
    assert after["app/settings.env"].startswith(b"colour=blue\nDB_PASSWORD=")
    assert after["app/settings.env"].endswith(b"\nmode=fast\n")


def test_a_secret_in_the_name_of_a_member_is_masked_and_its_header_stays_valid() -> None:
    secret = "ghp_9fK2mQ7vR4tY8wZ1aB3cD5eF6gH0jL2nP4qS"
    raw = archive(tarfile.USTAR_FORMAT, ((f"keys/{secret}", b"content"),))
    passings = printed(conversation(), *messages(raw, 700))
    assert secret.encode() not in seen(passings)
    assert secret.encode() not in recorded(passings, "stdout")
    assert secret not in "".join(str(attributes_of(p)) for p in passings)
    names = list(contents(seen(passings)))
    assert names[-1].startswith("keys/[masked:")


def test_the_record_lists_what_an_archive_holds() -> None:
    passings = printed(conversation(), *messages(archive(), 32768))
    listed = ", ".join(attributes_of(p).get("k8s.tar.members", "") for p in passings)
    assert "app/settings.env 47" in listed
    assert "app/noise 2304" in listed
    assert "empty 0" in listed


def test_an_archive_that_the_client_sends_passes_unchanged_and_is_listed() -> None:
    raw = archive()
    passings = typed(conversation(), *messages(raw, 4096))
    assert b"".join((p.data or b"")[1:] for p in passings) == raw
    record = recorded(passings, "stdin")
    assert len(record) == len(raw)
    assert b"hunter2xyzzy" not in record
    assert "app/settings.env 47" in "".join(attributes_of(p).get("k8s.tar.members", "") for p in passings)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_an_archive_stays_valid_wherever_it_is_cut(data: st.DataObject) -> None:
    raw = archive(data.draw(st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT])))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=10)))
    places = [0, *cuts, len(raw)]
    pieces = [raw[a:b] for a, b in itertools.pairwise(places)]
    masked = seen(printed(conversation(), *pieces, quiet=data.draw(st.booleans())))
    assert [len(content) for content in contents(masked).values()] == [len(c) for c in contents(raw).values()]
    assert b"hunter2xyzzy" not in masked


def test_what_only_begins_like_an_archive_passes_with_its_length() -> None:
    raw = bytearray(archive())
    raw[1024:1536] = os.urandom(512)
    masked = seen(printed(conversation(), *messages(bytes(raw), 3000)))
    assert len(masked) == len(raw)
    assert b"hunter2xyzzy" not in masked


def test_noise_passes_as_it_is() -> None:
    noise = os.urandom(300_000)
    assert seen(printed(conversation(), *messages(noise, 32768))) == noise
