"""`python -m services.sandbox_bank`: a bank, on its own."""

import uvloop

from services.sandbox_bank.app import serve

uvloop.run(serve())
