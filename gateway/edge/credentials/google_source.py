"""Credentials of Google Cloud as google-auth makes them: from a file, or from the metadata server, and impersonated.

Made anew each time, so that a key that has been exchanged in its file is taken up.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.auth import aws, compute_engine, identity_pool, impersonated_credentials
from google.auth.exceptions import GoogleAuthError
from google.oauth2 import service_account

from gateway.edge.credentials.injector import CredentialError
from gateway.settings import GoogleToken

FILE_BYTES_MAX = 64 * 1024
LIFETIME_SECONDS = 3600
DOMAIN = "googleapis.com"
_PROJECT = re.compile(r"@([a-z0-9-]+)\.iam\.gserviceaccount\.com")
_TAKEN = ("file", "url", "environment_id")


@dataclass(frozen=True, slots=True)
class Source:
    """`account`: the service account's e-mail, '' where only Google knows it; `source`: who comes in, where that is
    another; `project`: id or number; `machine`: what the metadata server gives, which knows its account when it was
    asked. `dated`: the end of its tokens is told by Google's clock, not as a life."""

    credentials: Any
    account: str
    machine: Any = None
    source: str = ""
    project: str = ""
    dated: bool = False


def source_of(settings: GoogleToken) -> Source:
    """The credentials of these settings, not yet asked for. Raises CredentialError."""
    try:
        found = _of_file(settings.file, settings.scopes) if settings.file else _of_machine(settings)
        return _impersonated(found, settings) if settings.impersonate else found
    except (OSError, ValueError, KeyError, TypeError, GoogleAuthError) as error:
        # the texts of these errors may hold what stands in the file
        raise CredentialError(
            f"its file for Google cannot be used ({type(error).__name__})", str(settings.file)
        ) from None


def project_of(account: str) -> str:
    """The project that a service account's e-mail names; '' for any other."""
    found = _PROJECT.search(account)
    return found[1] if found else ""


def _of_machine(settings: GoogleToken) -> Source:
    # without the domain google-auth asks for it by a transport of its own, which is not bounded
    made = compute_engine.Credentials(scopes=list(settings.scopes), universe_domain=DOMAIN)  # type: ignore[no-untyped-call]
    return Source(made, "", made)


def _of_file(file: Path, scopes: tuple[str, ...]) -> Source:
    with file.open("rb") as opened:
        info = json.loads(opened.read(FILE_BYTES_MAX))
    kind = info.get("type") if isinstance(info, dict) else None
    if kind == "service_account":
        made = service_account.Credentials.from_service_account_info(info, scopes=list(scopes))  # type: ignore[no-untyped-call]
        account = str(made.service_account_email)
        return Source(made, account, project=str(info.get("project_id") or project_of(account)))
    if kind == "external_account":
        return _external(info, scopes)
    raise CredentialError(
        "its file for Google is neither a service account's key nor of workload identity federation",
        str(file),
    )


def _external(info: dict[str, Any], scopes: tuple[str, ...]) -> Source:
    """Workload identity federation. A program that the file names is never started."""
    told = info.get("credential_source")
    named = [name for name in _TAKEN if name in told] if isinstance(told, dict) else []
    if not named:
        raise CredentialError("its file for Google takes the token from neither a file nor a URL nor AWS")
    kind = aws if "environment_id" in named else identity_pool
    made = kind.Credentials.from_info(info, scopes=list(scopes))
    account = str(made.service_account_email or "")
    project = project_of(account) or str(made.project_number or "")
    return Source(made, account, None, str(info["audience"]), project, dated=bool(account))


def _impersonated(found: Source, settings: GoogleToken) -> Source:
    made = impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
        found.credentials, settings.impersonate, list(settings.scopes), lifetime=LIFETIME_SECONDS
    )
    account = settings.impersonate
    project = project_of(account) or found.project
    # google-auth makes its own copy of what it begins with, and asks with that
    machine = made._source_credentials if found.machine else None
    return Source(made, account, machine, found.account or found.source, project, dated=True)
