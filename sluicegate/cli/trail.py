"""`completeness`: whether every recorded frame has arrived."""
