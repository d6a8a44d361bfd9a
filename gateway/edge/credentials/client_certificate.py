"""Whom a client certificate names: to Kubernetes its common name is the user."""

from cryptography import x509
from cryptography.x509.oid import NameOID

from gateway.settings import UpstreamTls


def user_of_certificate(tls: UpstreamTls | None) -> str:
    """The user of the client certificate that is shown; '' when there is none, or none that can be read."""
    if tls is None:
        return ""
    if tls.certificate_data or tls.certificate_file is None:
        return common_name(tls.certificate_data)
    try:
        return common_name(tls.certificate_file.read_text("ascii"))
    except (OSError, ValueError):
        return ""


def common_name(pem: str) -> str:
    """The common name of a certificate; '' when there is none to read."""
    try:
        subject = x509.load_pem_x509_certificate(pem.encode()).subject
    except ValueError:
        return ""
    names = [str(part.value) for part in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return names[0] if names and names[0].isprintable() else ""
