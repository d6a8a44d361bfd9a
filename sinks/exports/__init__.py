"""The trail in the forms of other programs: HAR, JSON lines, terminal films. Frames in, text out; no I/O here."""
