"""What a browser shows."""

from collections.abc import Mapping
from html import escape
from typing import Final

from starlette.responses import HTMLResponse, RedirectResponse

from sluicegate.demo.people.directory import PEOPLE

# No `form-action`: browsers hold redirects after a form to it too, and those go to the program.
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
NOTE: Final = "A demonstration: nobody is asked for a password, and nothing but the demo trusts it."
STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 30rem; margin: 12vh auto; padding: 0 1rem; color: #1b2430 }
small { color: #5b6675 } button { display: block; width: 100%; margin: .5rem 0; padding: .8rem; font: inherit;
border: 1px solid #b9c2cf; border-radius: .4rem; background: #f4f6f9; cursor: pointer }
input { font: inherit; padding: .6rem; width: 100%; box-sizing: border-box; letter-spacing: .2em }
"""


def login_page(action: str, program: str, hidden: Mapping[str, str], more: str = "") -> HTMLResponse:
    """A button for each person. `more` is HTML that stands above them."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in hidden.items()
    )
    buttons = "".join(
        f'<button name="person" value="{escape(person.subject)}">{escape(person.label)}</button>'
        for person in PEOPLE.values()
    )
    form = f'<form method="post" action="{escape(action)}">{fields}{more}{buttons}</form>'
    return page("Who are you?", f"<p>{escape(program)} asks for access to the demo.</p>{form}")


def page(title: str, content: str, status: int = 200) -> HTMLResponse:
    """A page; `content` is HTML."""
    note = f"<p><small>{NOTE}</small></p>"
    head = f'<!doctype html><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return HTMLResponse(f"{head}<h1>{escape(title)}</h1>{content}{note}", status, HEADERS)


def told(title: str, text: str, status: int = 200) -> HTMLResponse:
    """A page with a sentence."""
    return page(title, f"<p>{escape(text)}</p>", status)


def back_to(url: str) -> RedirectResponse:
    """Sends the browser to the program, whatever it sent here; the address is not told to others."""
    return RedirectResponse(url, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
