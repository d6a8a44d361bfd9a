"""Time-stamps (RFC 3161) of checkpoints: an authority says that a note was there at a time."""

from collections.abc import Sequence
from hashlib import sha256

from cryptography import x509
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response


def stamp_fault(response: bytes, note: str, certificates: Sequence[str]) -> str:
    """Why `response` is no time-stamp of `note`; '' when it is.

    `certificates` (PEM) are the roots that are believed; without any, who signed the stamp is not looked at.
    """
    content = note.encode()
    try:
        stamp = decode_timestamp_response(response)
        if stamp.tst_info.message_imprint.message != sha256(content).digest():
            return "it is for something else"
        if certificates:
            builder = VerifierBuilder()
            for certificate in x509.load_pem_x509_certificates("\n".join(certificates).encode()):
                builder = builder.add_root_certificate(certificate)
            builder.build().verify_message(stamp, content)
    except (VerificationError, ValueError) as error:
        return str(error) or type(error).__name__
    return ""


def stamped_at(response: bytes) -> str:
    """When, as the stamp says: UTC. Raises ValueError for what is no time-stamp."""
    return decode_timestamp_response(response).tst_info.gen_time.isoformat()
