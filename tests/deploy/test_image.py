"""What the image is built from: pinned, with checksums, and nothing it does not need."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def locked(path: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """(version, checksums) by name."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for block in re.split(r"\n(?=[a-z0-9])", path.read_text()):
        name, _, rest = block.partition("==")
        found[name] = (rest.split()[0], frozenset(re.findall(r"sha256:([0-9a-f]{64})", rest)))
    return found


def test_the_base_image_has_a_full_version_as_tag() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert bases
    assert all(re.search(r":\d+\.\d+\.\d+-", base) for base in bases)


def test_the_image_runs_as_a_numbered_user_that_is_not_root() -> None:
    assert re.findall(r"^USER (\d+)", DOCKERFILE, re.MULTILINE) == ["10001"]


def test_its_packages_are_those_of_the_lock_with_their_checksums() -> None:
    whole = locked(ROOT / "requirements.lock")
    for name in ("requirements.lock", "build.lock"):
        part = locked(ROOT / "deploy" / name)
        assert part
        assert all(sums for _, sums in part.values())
        assert {key: pin for key, pin in part.items() if key in whole} == {
            key: whole[key] for key in part if key in whole
        }
    assert locked(ROOT / "deploy" / "requirements.lock").keys() <= whole.keys()


def test_its_packages_are_all_that_sluicegate_needs_and_none_for_development() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[^A-Za-z0-9._-]", wanted)[0].lower() for wanted in project["dependencies"]}
    part = locked(ROOT / "deploy" / "requirements.lock").keys()
    assert names <= part, "renew deploy/requirements.lock"
    assert not part & {"pytest", "mypy", "ruff", "testcontainers"}


def test_the_builder_is_given_all_packages_and_what_the_image_copies() -> None:
    given = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for source in line.split()
    }
    assert copied - {"."} <= given
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"][
        "include"
    ]
    assert {pattern.rstrip("*") for pattern in patterns} <= given


def test_the_licence_is_the_whole_apache_2_0_text() -> None:
    from hashlib import sha256  # noqa: PLC0415

    text = (ROOT / "LICENSE").read_bytes()
    assert sha256(text).hexdigest() == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
