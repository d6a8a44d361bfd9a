"""Session tokens from the gateway: what it is asked, and what its refusals mean for the person who asks."""

from sluicegate.login.http import Answer, LoginError, OAuthClient

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


async def session_token(
    http: OAuthClient, gateway: str, subject_token: str, connection: str, purpose: str
) -> tuple[str, int]:
    """(token, seconds it is good for) for `connection` at the gateway with this URL. Raises LoginError."""
    form = {
        "grant_type": GRANT,
        "subject_token": subject_token,
        "subject_token_type": ACCESS_TOKEN,
        "resource": f"{gateway.rstrip('/')}/mcp/{connection}",
        "purpose": purpose,
    }
    answer = await http.post(f"{gateway.rstrip('/')}/token", form)
    token, seconds = answer.text("access_token"), answer.content.get("expires_in")
    if answer.status != 200 or not token or not isinstance(seconds, int):
        raise LoginError(_refused(answer, gateway, connection))
    return token, seconds


def _refused(answer: Answer, gateway: str, connection: str) -> str:
    if answer.status == 404:
        return (
            f"the gateway {gateway} gives no session tokens; set identity.session_tokens in its configuration"
        )
    advice = "; say why with --purpose" if "purpose is missing" in answer.text("error_description") else ""
    return f"the gateway gives no token for {connection}: {answer.said()}{advice}"
