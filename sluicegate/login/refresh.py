"""A login whose access token is at its end gets a new one by its refresh token."""

import time
from pathlib import Path

from sluicegate.login.device import refreshed
from sluicegate.login.http import LoggedOutError, OAuthClient
from sluicegate.login.store import Login, Logins

SPARE_SECONDS = 60.0


async def refreshed_login(logins: Logins, login: Login) -> Login:
    """`login`, with an access token that is good for a while; a new one is kept. Raises LoginError,
    LoggedOutError where a person has to log in again.

    To be called with `logins` locked: many issuers take a refresh token only once.
    """
    if login.expires_at - time.time() > SPARE_SECONDS:
        return login
    if not login.refresh_token:
        raise LoggedOutError(
            "the login is over, and the issuer gave no refresh token; run `sluicegate login` again "
            "(with --scope 'openid offline_access' many issuers give one)"
        )
    async with OAuthClient(Path(login.ca_file) if login.ca_file else None) as http:
        new = await refreshed(http, login.token_endpoint, login.client_id, login.refresh_token)
    login.access_token, login.expires_at = new.access_token, new.expires_at
    login.refresh_token = new.refresh_token
    logins.keep(login)
    return login
