"""What operators decided, on every replica: the compacted topic `control`, held in memory.

`reader.py` follows the topic from its beginning, `state.py` is what it says now. Look-ups are dictionary look-ups:
no I/O, no waiting.
"""

from gateway.edge.control.reader import Control, in_force
from schemas.control import ToolPin

__all__ = ["Control", "ToolPin", "in_force"]
