"""``python -m luna.platform.health.schema`` as a cluster starts it, beside a migration that comes
later.
"""

import os
import subprocess
import sys
import uuid

from luna.platform.database.migrate import upgrade
from luna.platform.embedded.supervisor import Servers
from tests.support.database.databases import own_database


def test_the_process_ends_well_once_the_tables_are_there_and_not_before(servers: Servers) -> None:
    with own_database(servers.database_url, f"luna_wait_{uuid.uuid4().hex[:8]}") as url:
        environment = {**os.environ, "LUNA_DATABASE_URL": url, "LUNA_REDIS_URL": servers.redis_url}
        command = [sys.executable, "-m", "luna.platform.health.schema"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                assert process.stdout is not None
                waits = process.stdout.readline()
                early = process.poll()
                upgrade(url)
                ends = process.wait(timeout=60)
            finally:
                process.kill()
    assert ("waits for the schema" in waits, early, ends) == (True, None, 0)
