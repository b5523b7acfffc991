"""Whether a time stamp is one of a checkpoint by an authority, by a library that somebody else wrote.

  stamp.py STAMP CHECKPOINT ROOTS
"""
import pathlib
import sys

from cryptography.x509 import load_pem_x509_certificates
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

stamp, checkpoint, roots = (pathlib.Path(path).read_bytes() for path in sys.argv[1:])
response = decode_timestamp_response(stamp)
verifier = VerifierBuilder(roots=load_pem_x509_certificates(roots)).build()
try:
    verifier.verify_message(response, checkpoint)
except VerificationError as error:
    sys.exit(f"rfc3161-client: {error}")
print(f"rfc3161-client: stamped at {response.tst_info.gen_time:%Y-%m-%dT%H:%M:%SZ}")
