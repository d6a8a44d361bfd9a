"""The one YAML file: read, checked, and turned into the frozen settings of each part.

The way of a setting: `source.py` reads the file into plain values and remembers where each stood, filling in
`${NAME}` from the environment; `model.py` says what may be there; `rules.py` checks what takes two settings to
know; `load.py` runs the three and turns what they found into problems with file, line and column. `parts.py` makes
the settings that each part takes. Nothing else in Sluicegate reads the file or the environment.
"""

from sluicegate.settings.errors import Problem, SettingsError
from sluicegate.settings.load import DEFAULT_FILE, load
from sluicegate.settings.model import Settings

__all__ = ["DEFAULT_FILE", "Problem", "Settings", "SettingsError", "load"]
