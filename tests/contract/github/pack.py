"""Pack the examples of npm's `@octokit/webhooks-examples` into one file: python pack.py PACKAGE.tgz.

Only the payloads are kept, by set and event. The archive is compared with the digest of the version that is meant.
"""

from __future__ import annotations

import base64
import hashlib
import json
import lzma
import sys
import tarfile
from io import BytesIO
from pathlib import Path

# Of version 7.6.1, as the registry has it.
INTEGRITY = "De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ=="
PACKED = Path(__file__).with_name("octokit-examples.json.xz")


def pack(archive: bytes) -> bytes:
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if digest != INTEGRITY:
        sys.exit(f"the archive's digest is {digest}, not {INTEGRITY}")
    examples = {}
    with tarfile.open(fileobj=BytesIO(archive)) as package:
        for member in sorted(package.getnames()):
            if member.endswith("/index.json"):
                events = json.load(package.extractfile(member))
                examples[member.split("/")[1]] = {event["name"]: event["examples"] for event in events}
    text = json.dumps(examples, ensure_ascii=False, separators=(",", ":"))
    return lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)


if __name__ == "__main__":
    PACKED.write_bytes(pack(Path(sys.argv[1]).read_bytes()))
