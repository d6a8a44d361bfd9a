"""Makes gateway/kubernetes/fields.txt: which field of a Kubernetes message has which number, name and type.

`python -m tests.gateway.kubernetes.make_fields` needs Go, which fetches the modules. Numbers and types come from the
modules' generated.proto, names in JSON from the tags of their Go structs; nothing else of them goes into the file.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VERSION = "v0.36.3"
MODULES = ("k8s.io/apimachinery", "k8s.io/api", "k8s.io/kube-aggregator")
FILE = Path(__file__).parents[3] / "gateway" / "kubernetes" / "fields.txt"
# Not served any more, or nothing that a client sends
LEFT_OUT = re.compile(
    r"alpha|\.(?:extensions|imagepolicy|admission|apidiscovery|apiserverinternal|testapigroup)\.|apps\.v1beta"
)
SCALARS = frozenset({"string", "bytes", "bool", "int32", "int64"})
MESSAGE = re.compile(r"^message (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^ +(optional|repeated|map<string, ([\w.]+)>)(?: ([\w.]+))? (\w+) = (\d+);", re.MULTILINE)
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
TAG = re.compile(
    r'^\s(?:\w+\s+)?([*\w.\[\]]+)\s+`json:"([^"]*)"(?: \w+:"[^"]*")* protobuf:"\w+,(\d+),', re.MULTILINE
)
GROUP = re.compile(r'^(?:const )?\s*GroupName\s*=\s*"([^"]*)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tag:
    """What Go's struct says of a field."""

    name: str
    inline: bool
    pointer: bool
    omitted: bool


def main() -> None:
    """Writes the file anew."""
    lines = [
        f"# Made by `python -m tests.gateway.kubernetes.make_fields` from {', '.join(MODULES)} {VERSION};",
        "# see NOTICE. `= package group/version`, then messages, and of each its fields: number, name in JSON, type.",
        "# Before a type: `*` repeated, `%` map of text to it, `^` its fields stand among those of the message,",
        "# `?` left out of JSON when it is empty.",
    ]
    for module in MODULES:
        for proto in sorted(directory(module).rglob("generated.proto")):
            lines += package_lines(proto)
    FILE.write_text("\n".join(lines) + "\n", "utf-8")


def directory(module: str) -> Path:
    """Where Go has the module's files."""
    told = subprocess.run(
        ["go", "mod", "download", "-json", f"{module}@{VERSION}"], check=True, capture_output=True, text=True
    )
    return Path(json.loads(told.stdout)["Dir"])


def package_lines(proto: Path) -> Iterator[str]:
    """The lines of one package."""
    text = re.sub(r"^\s*//.*$", "", proto.read_text("utf-8"), flags=re.MULTILINE)
    package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)
    assert package
    if LEFT_OUT.search(f"{package[1]}."):
        return
    tags = tags_of(proto.parent)
    yield f"= {package[1]} {group_of(proto.parent, package[1])}".rstrip()
    for name, body in MESSAGE.findall(text):
        yield name
        for label, value, kind, field, number in FIELD.findall(body):
            tag = tags.get((name, int(number)), Tag(field, inline=False, pointer=True, omitted=False))
            mark = marks(label, tag, is_message=(value or kind) not in SCALARS)
            yield f"{number} {tag.name or field} {mark}{short(value or kind, package[1])}"


def tags_of(folder: Path) -> dict[tuple[str, int], Tag]:
    """By struct and number."""
    found = {}
    for file in sorted(folder.glob("*.go")):
        if file.name.endswith("_test.go") or file.name.startswith(("zz_", "generated.")):
            continue
        for struct, body in STRUCT.findall(file.read_text("utf-8")):
            for kind, json_tag, number in TAG.findall(body):
                name, *options = json_tag.split(",")
                inline = "inline" in options
                found[struct, int(number)] = Tag(
                    "" if name == "-" else name, inline, kind.startswith("*"), "omitempty" in options
                )
    return found


def group_of(folder: Path, package: str) -> str:
    """`apps/v1`, `v1` of the core; '' for packages that hold no kinds."""
    register = folder / "register.go"
    name = GROUP.search(register.read_text("utf-8")) if register.is_file() else None
    version = package.rpartition(".")[2]
    if name is None or not re.fullmatch(r"v\d+\w*", version):
        return ""
    return f"{name[1]}/{version}" if name[1] else version


def marks(label: str, tag: Tag, *, is_message: bool) -> str:
    """What stands before a type."""
    if tag.inline:
        return "^"
    if label == "repeated":
        return "*"
    if label.startswith("map"):
        return "%"
    return "" if tag.pointer or (is_message and not tag.omitted) else "?"


def short(kind: str, package: str) -> str:
    """Types of the same package by their name alone."""
    kind = kind.removeprefix(".")
    return kind.removeprefix(f"{package}.") if kind.rpartition(".")[0] == package else kind


if __name__ == "__main__":
    main()
