"""The key that signs all tokens: made at the first start and kept, so that tokens outlive a restart."""

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

from sluicegate.demo.people.errors import UnusableFileError
from sluicegate.embedded.files import write_atomically

FILE = "signing-key.pem"


class SigningKey:
    """An ECDSA key on P-256, and its public half as a JWK. `ident` tells it from its successors."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self.private = private
        public: dict[str, Any] = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
        self.ident = public["x"][:16]
        self.jwk = {**public, "use": "sig", "alg": "ES256", "kid": self.ident}


def signing_key(data_dir: Path) -> SigningKey:
    """The key in `data_dir`, made when there is none. Raises OSError, UnusableFileError."""
    file = data_dir / FILE
    if not file.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(file, _pem(ec.generate_private_key(ec.SECP256R1())))
    try:
        private = load_pem_private_key(file.read_bytes(), password=None)
    except ValueError:
        raise UnusableFileError(f"{file} is no key; remove it to have a new one made") from None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise UnusableFileError(f"{file} is no key on P-256; remove it to have a new one made")
    return SigningKey(private)


def _pem(private: ec.EllipticCurvePrivateKey) -> str:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
