"""The console in the browser: server-rendered pages beside the REST API, and small ES modules that make them live.

The way of a request: `api.guard` lets in names of ours; `static` answers files by their hash; every other path is of
a page in `pages`, which first asks `site.viewer` who looks (a session of `logins`, by the cookie of `cookies`), in
which `roles` and at which connections. A page reads the trail within that scope, has `site.looked` write down that it
was looked at, and only then answers by `site.page`, which `layout` renders and `headers` makes inert. What a page is
sent goes through `posted`. Whatever fails is a `Refusal`, shown by `answering` as a page that says what to do.
"""
