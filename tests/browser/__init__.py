"""The console in a real Chromium: people at work on a trail that the demo recorded.

`python -m tests.browser` brings the demo up on free ports, drives /usr/bin/chromium by Playwright through ten tasks,
holds every page against axe in light and dark, at a desk's and a phone's width, and by the keyboard alone.
"""
