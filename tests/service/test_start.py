"""What a starting service loads before it serves callers: nothing that only something else needs, however quick the machine."""

import json
import os
import subprocess
import sys

LOADED = """
import json, sys
from nobat import cli, interpreter
interpreter.begin()
import nobat.app, nobat.logs, nobat.settings_file
print(json.dumps(sorted(name for name, module in sys.modules.items() if module is not None)))
"""

LATER = {
    *("fastapi", "starlette", "uvicorn"),  # the interface
    *("alembic", "asyncpg", "sqlalchemy.dialects.postgresql.asyncpg"),  # a migration; the other database
    *("phonenumbers", "cryptography", "argon2"),  # callbacks; recordings; phone codes
    *("aiosmtplib", "xlsxwriter", "PIL"),  # reports
    *("opentelemetry", "yaml", "rich", "pygments"),
    *("nobat.api", "nobat.web", "nobat.later", "nobat.figures.sheets"),
}


def test_a_start_loads_nothing_that_callers_need_not_wait_for() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NOBAT_")}
    done = subprocess.run([sys.executable, "-c", LOADED], env=kept, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "acd.floor" in loaded
    assert loaded & LATER == set()
