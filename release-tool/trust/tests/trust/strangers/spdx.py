"""Reads an SPDX document with SPDX's own library and validates it."""

import sys

from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

document = parse_file(sys.argv[1])
messages = validate_full_spdx_document(document, "SPDX-2.3")
if messages:
    sys.exit("\n".join(f"{m.validation_message} ({m.context.spdx_id})" for m in messages))
print(len(document.packages))
