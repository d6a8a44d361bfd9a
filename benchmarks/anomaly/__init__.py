"""How well the shipped rules find misuse in a month of normal work: `python -m benchmarks.anomaly`.

The way of a measurement: `settings` reads what the month is made of; `world` builds teams, principals and what they
work on; `habits` makes their days, normal and unusual; `misuse` lays labelled `episodes` of `patterns` among them;
`month` brings all of it into the order of arrival; `measure` gives it to the engine; `scoring` compares findings with
labels; `report` writes tables and, with `figure`, drawings.
"""
