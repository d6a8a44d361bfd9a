"""Whatever a client sends as its credential, none of it goes upstream; what is none goes on as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.credentials import is_credential, strip
from gateway.frames.credentials import NAMES, PREFIXES, SUFFIXES
from gateway.frames.headers import Headers, towards_upstream, written_down

BELIEVED_SOMEWHERE = [
    *(b"authorization", b"proxy-authorization", b"cookie", b"x-api-key", b"x-auth-token", b"dpop"),
    *(b"x-amz-security-token", b"x-goog-api-key", b"x-vault-token", b"private-token", b"job-token"),
    *(b"impersonate-user", b"impersonate-group", b"impersonate-uid", b"impersonate-extra-scopes"),
    *(b"x-remote-user", b"x-remote-group", b"x-remote-extra-scopes", b"remote-user", b"x-forwarded-user"),
    *(b"x-forwarded-access-token", b"x-forwarded-email", b"x-forwarded-client-cert", b"x-auth-request-user"),
    *(
        b"cf-access-jwt-assertion",
        b"cf-access-client-secret",
        b"x-goog-iap-jwt-assertion",
        b"x-amzn-oidc-data",
    ),
    *(b"x-ms-client-principal", b"x-ms-token-aad-access-token", b"ocp-apim-subscription-key", b"dd-api-key"),
    *(b"dd-application-key", b"x-functions-key", b"x-gitlab-token", b"x-github-token", b"x-csrf-token"),
    *(b"x_api_key", b"api_key", b"x-figma-token", b"x-shopify-access-token", b"x-rapidapi-key"),
    *(b"client-cert", b"ssl-client-cert", b"tailscale-user-login", b"x-webauth-user", b"x-user-id"),
]
NO_CREDENTIALS = [
    *(b"accept", b"accept-language", b"content-type", b"user-agent", b"origin", b"host", b"last-event-id"),
    *(b"mcp-session-id", b"mcp-protocol-version", b"mcp-method", b"mcp-name", b"mcp-param-api-key"),
    *(b"traceparent", b"tracestate", b"x-request-id", b"idempotency-key", b"if-none-match", b"cache-control"),
]


TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20).map(str.encode)
CREDENTIAL_NAMES = st.one_of(
    st.sampled_from(sorted(NAMES)),
    st.tuples(st.sampled_from(PREFIXES), TOKENS).map(b"".join),
    st.tuples(st.just(b"x-"), TOKENS, st.sampled_from(SUFFIXES)).map(b"".join),
)
VALUES = st.binary(max_size=20)


@pytest.mark.parametrize("name", BELIEVED_SOMEWHERE, ids=bytes.decode)
def test_abuse_60_a_header_that_upstreams_believe_is_taken_off(name: bytes) -> None:
    assert strip(towards_upstream([(b"accept", b"*/*"), (name, b"mine")])) == [(b"accept", b"*/*")]


@pytest.mark.parametrize("name", NO_CREDENTIALS, ids=bytes.decode)
def test_a_header_that_is_no_credential_goes_on(name: bytes) -> None:
    assert strip([(name, b"value")]) == [(name, b"value")]


@given(CREDENTIAL_NAMES, st.sampled_from([b"s3cret", b"s3cret, a=b"]))
def test_g7_what_is_taken_off_is_not_written_down_either(name: bytes, value: bytes) -> None:
    assert "s3cret" not in written_down([(name, value)]) or not is_credential(name)


@given(st.lists(st.tuples(st.one_of(CREDENTIAL_NAMES, TOKENS, st.sampled_from(NO_CREDENTIALS)), VALUES)))
def test_abuse_60_whatever_the_client_sends_no_credential_is_left_and_the_rest_stays_in_order(
    headers: Headers,
) -> None:
    left = strip(headers)
    assert not [name for name, _ in left if name in NAMES or name.startswith(PREFIXES)]
    assert left == [pair for pair in headers if not is_credential(pair[0])]


@given(CREDENTIAL_NAMES, VALUES)
def test_abuse_60_a_name_of_a_credential_is_one_with_either_dash(name: bytes, value: bytes) -> None:
    stays = name in {b"x-idempotency-key", b"x_idempotency_key"}
    assert stays or strip([(name, value), (name.replace(b"-", b"_"), value)]) == []
