"""The one YAML file: read, checked, and turned into the frozen settings of each part.

The way of a setting: `source.py` reads the file into plain values and remembers where each stood, filling in
`${NAME}` from the environment; `model.py` says what may be there, with `identity.py`, `connection.py`,
`credentials.py` and `masking.py` for their blocks; `rules.py`, and those it calls, check what takes two settings to
know, and `file_rules.py` the files that are named; `load.py` runs these and turns what they found into problems with
file, line and column, by way of `shape.py`. `parts.py` makes the settings that each part takes, `connections.py`
those of a connection, `keys.py` the keys. Nothing else in Sluicegate reads the file or the environment, but for the
secrets of connections, which the gateway reads itself when it needs them.
"""

from sluicegate.settings.errors import Problem, SettingsError
from sluicegate.settings.load import DEFAULT_FILE, load
from sluicegate.settings.model import Settings

__all__ = ["DEFAULT_FILE", "Problem", "Settings", "SettingsError", "load"]
