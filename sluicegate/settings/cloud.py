"""The blocks of `credential` that are of a cloud, of a cluster or of this gateway, and the settings they make."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gateway.settings import (
    AwsIdentity,
    AwsRole,
    EksToken,
    GoogleToken,
    OwnSessionToken,
    ServiceAccount,
    SigV4,
)
from sluicegate.settings.blocks import Block, FilePath, GuardedUrl, Name, Text, named

SUBJECT = "{subject}"  # what stands for the caller in a role's `session_name`
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\x21-\x7e]{1,576}")
_SESSION_NAME = re.compile(r"(?:[A-Za-z0-9_+=,.@-]|\{subject\}){2,80}")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
_CLUSTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_SERVICE = re.compile(r"[a-z0-9-]{1,60}")
_ACCOUNT = re.compile(r"[a-z0-9.-]{1,100}@[a-z0-9.-]{1,200}\.gserviceaccount\.com")
_PROJECT = re.compile(r"[a-z0-9.:-]{1,100}")
# Without the second GKE knows a service account by a number alone, which no binding names.
_SCOPES = (
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/userinfo.email",
)

KIND_MEANING = (
    "`bearer`, `basic` or `header`: the same on every request; `client_credentials`: a token of the gateway's own; "
    "`token_exchange`: a token on behalf of the caller; `client`: what the client sends; `service_account`: the "
    "token of a Kubernetes service account; `eks`: a token of an EKS cluster; `aws_sigv4`: each request signed for "
    "AWS; `google`: an access token of Google Cloud, for GKE too; `session_token`: a token of this gateway, in the "
    "caller's name."
)
KIND = Field(description=KIND_MEANING)
SCOPES = Field(
    default=(),
    description="Scopes asked for; where none are given, `google` asks for `cloud-platform` and "
    "`userinfo.email`.",
)


class RoleBlock(Block):
    """One role of AWS, assumed with what came before it."""

    arn: Annotated[
        str, AfterValidator(named(_ROLE, "must be a role's ARN, arn:aws:iam::ACCOUNT:role/NAME"))
    ] = Field(description="The role.")
    session_name: Annotated[
        str,
        AfterValidator(
            named(_SESSION_NAME, "must be letters, digits and `_+=,.@-`, or have `{subject}` among them")
        ),
    ] = Field(
        default="sluicegate",
        description="Name of the session, in CloudTrail and to the cluster; `{subject}` in it is the caller's, and "
        "each caller has a session then.",
    )
    external_id: (
        Annotated[
            str, AfterValidator(named(_EXTERNAL_ID, "must be 2 to 1224 of letters, digits and `_+=,.@:/-`"))
        ]
        | None
    ) = Field(default=None, description="External id that the role asks for.")
    seconds: int = Field(
        default=3600,
        ge=900,
        le=43_200,
        description="How long a session lasts; after another role at most 3600.",
    )


class AwsBlock(Block):
    """Who the gateway is to AWS."""

    region: Annotated[str, AfterValidator(named(_REGION, "must be a region of AWS, such as eu-west-1"))] = (
        Field(description="Region of AWS, of the cluster or the API; its STS is asked for roles.")
    )
    roles: tuple[RoleBlock, ...] = Field(
        default=(),
        description="Roles of AWS, each assumed with the one before; not given: none is assumed.",
    )
    web_identity_token_file: FilePath | None = Field(
        default=None,
        description="Token that the first role is assumed with; not given: what the environment, the pod or the "
        "machine gives.",
    )
    profile: Text | None = Field(
        default=None, description="Profile of AWS's configuration files, which are read for this alone."
    )
    sts_endpoint: GuardedUrl | None = Field(
        default=None, description="URL of STS, such as a VPC endpoint; not given: that of the region."
    )

    def identity(self) -> AwsIdentity:
        """Who the gateway is to AWS, as it takes it."""
        roles = tuple(
            AwsRole(role.arn, role.session_name, role.external_id or "", role.seconds) for role in self.roles
        )
        return AwsIdentity(
            self.region, roles, self.web_identity_token_file, self.profile or "", self.sts_endpoint or ""
        )


class EksBlock(AwsBlock):
    """A token for the Kubernetes API of an EKS cluster."""

    kind: Literal["eks"] = KIND
    cluster: Annotated[str, AfterValidator(named(_CLUSTER, "must be the name of an EKS cluster"))] = Field(
        description="Name of the EKS cluster; the token is good for no other."
    )

    def credential(self) -> EksToken:
        """As the gateway takes it."""
        return EksToken(self.cluster, self.identity())


class SigV4Block(AwsBlock):
    """Each request to an AWS API is signed."""

    kind: Literal["aws_sigv4"] = KIND
    service: Annotated[
        str,
        AfterValidator(named(_SERVICE, "must be a service as AWS signs it, such as s3 or bedrock-agentcore")),
    ] = Field(description="Service of AWS that is signed for, such as `s3`.")

    def credential(self) -> SigV4:
        """As the gateway takes it."""
        return SigV4(self.service, self.identity())


class GoogleBlock(Block):
    """An access token of Google Cloud."""

    kind: Literal["google"] = KIND
    file: FilePath | None = Field(
        default=None,
        description="Key of a service account, or configuration of workload identity federation (JSON); not given: "
        "the metadata server.",
    )
    impersonate: (
        Annotated[
            str,
            AfterValidator(
                named(_ACCOUNT, "must be a service account, NAME@PROJECT.iam.gserviceaccount.com")
            ),
        ]
        | None
    ) = Field(default=None, description="Service account that `google` impersonates.")
    scopes: tuple[Text, ...] = SCOPES
    quota_project: Annotated[str, AfterValidator(named(_PROJECT, "must be the id of a project"))] | None = (
        Field(default=None, description="Project that requests to Google APIs count towards.")
    )

    def credential(self) -> GoogleToken:
        """As the gateway takes it."""
        return GoogleToken(
            self.file, self.impersonate or "", self.scopes or _SCOPES, self.quota_project or ""
        )


class ServiceAccountBlock(Block):
    """The token of a Kubernetes service account."""

    kind: Literal["service_account"] = KIND
    token_file: FilePath | None = Field(
        default=None,
        description="File with the token of `service_account`, which the cluster renews; not given: that of the pod.",
    )

    def credential(self) -> ServiceAccount:
        """As the gateway takes it."""
        return ServiceAccount(self.token_file) if self.token_file else ServiceAccount()


class SessionTokenBlock(Block):
    """A session token of this gateway."""

    kind: Literal["session_token"] = KIND
    connection: Name = Field(
        description="Connection that a `session_token` is for: the one that the upstream calls in turn."
    )

    def credential(self) -> OwnSessionToken:
        """As the gateway takes it."""
        return OwnSessionToken(self.connection)


CloudBlock = EksBlock | SigV4Block | GoogleBlock | ServiceAccountBlock | SessionTokenBlock
