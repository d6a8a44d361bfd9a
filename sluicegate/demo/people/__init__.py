"""A demonstration of an identity provider: two people, who log in by pressing the button with their name.

The way of a login: `authorize` (a browser, PKCE) or `device` (a code, for terminals) → `grants`, what waits to be
asked for → `endpoint` (`/token`) → `tokens`, signed by the key of `keys`. `clients` says which programs may ask,
`app` puts it together. It serves loopback only and checks nobody's password: nothing but the demo may trust it.
"""
