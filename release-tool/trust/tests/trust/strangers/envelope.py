"""Verifies an envelope with a public key in PEM and the id that the signature must name; prints the payload."""

import base64
import json
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

envelope_file, pem_file, keyid_file = sys.argv[1:]
keyid = open(keyid_file, encoding="ascii").read()
public = load_pem_public_key(open(pem_file, "rb").read())
text = open(envelope_file, "rb").read()

# By the library of TUF and in-toto.
sslib_key = SSlibKey.from_crypto(public, keyid=keyid)
parsed = Envelope.from_dict(json.loads(text))
accepted = parsed.verify([sslib_key], 1)
assert list(accepted) == [keyid], accepted

# By hand, from the specification.
envelope = json.loads(text)
kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"], validate=True)
message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
assert message == parsed.pae()
(signature,) = envelope["signatures"]
public.verify(base64.b64decode(signature["sig"], validate=True), message)

sys.stdout.write(payload.decode())
