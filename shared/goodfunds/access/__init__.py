"""Who may use a service's HTTP: bearer tokens, each of one client, for named scopes, at a bounded rate.

Owns the table `access_tokens` in the database of every service. `tokens` makes, lists and revokes them for
the command line; `principals` and `rate` are what `goodfunds.http.door` asks at each request.
"""

from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"
"""Folder of the tokens' migrations, for the door plate of a service that answers HTTP."""
STATEMENTS = Path(__file__).parent / "sql"
"""Folder of the tokens' named statements."""
