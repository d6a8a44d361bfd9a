"""The command `sluicegate`.

`app.py` lists the commands; each other file holds those of one subject. A command reads the configuration, calls
one function of a part, and prints what it gives by way of `output.py`, which makes it inert. Parts are imported
inside the commands, so that `sluicegate --help` does not pay for them.

Exit codes: 0 done, 1 it failed, 2 the command line or the configuration is wrong.
"""


def main() -> None:
    """Entry point of the command."""
    from sluicegate.cli.app import app  # noqa: PLC0415 (whoever imports this package may not want the commands)
    from sluicegate.cli.output import speak_utf8  # noqa: PLC0415

    speak_utf8()
    app(prog_name="sluicegate")
