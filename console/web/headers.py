"""What every page says to the browser, so that nothing that was recorded can act in it."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
YEAR_SECONDS = 31_536_000


def page_headers(*, tls: bool) -> dict[str, str]:
    """Headers of a page; `tls`: whether people reach us by https, and shall from now on."""
    headers = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # with `no-referrer` browsers would send our own forms with `Origin: null`
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
    }
    return {**headers, "Strict-Transport-Security": f"max-age={YEAR_SECONDS}"} if tls else headers
