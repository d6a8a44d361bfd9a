"""Digests: the hash chain of a lane, the commitment to a body, the digest of a deep-masked record.

    body_commitment = SHA-256(body_salt ‖ body)
    digest          = SHA-256("sluicegate:frame:1" ‖ H)      H: Avro encoding of all fields before `digest`
    prev_digest     = digest of the frame before it in the lane; it is one of the fields in H
    audit_digest    = SHA-256("sluicegate:audit:1" ‖ digest ‖ R ‖ SHA-256(body))
                      R: Avro encoding of frames_partition, frames_offset, deep_redactions

Avro writes a record's fields one after the other, so H is the head of the very bytes on the topic: what is
chained is what is stored, and nothing is canonicalised. The body enters only through its salted commitment:
deep masking can replace it later without breaking the chain, and the salt, which goes with the old body,
keeps a short secret from being guessed from its commitment.
"""

from hashlib import sha256

GENESIS = bytes(32)


def body_commitment(salt: bytes, body: bytes) -> bytes:
    """32 bytes that bind `body` (as recorded) to the chain."""
    return sha256(salt + body).digest()


def frame_digest(header: bytes) -> bytes:
    """Digest of a frame from the Avro encoding of its chained fields."""
    return sha256(b"sluicegate:frame:1" + header).digest()


def audit_digest(digest: bytes, processing: bytes, body: bytes) -> bytes:
    """Digest of a deep-masked record from its frame's digest, the encoded processing fields and its body."""
    return audit_digest_of(digest, processing, sha256(body).digest())


def audit_digest_of(digest: bytes, processing: bytes, body_sha256: bytes) -> bytes:
    """The same from the body's SHA-256: a record stays checkable when its body is gone."""
    return sha256(b"sluicegate:audit:1" + digest + processing + body_sha256).digest()
