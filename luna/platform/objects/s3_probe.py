"""``python -m luna.platform.objects.s3_probe``: asks an S3 server for a missing object.

It prints the answer.

A program of its own: a worker's first process may not ask by itself, because obstore's threads
would not follow into the processes it forks. The request comes as JSON from standard input, so that
the password is in no list of processes.
"""

import json
import sys

import obstore
from obstore.exceptions import BaseError

from luna.platform.objects.s3 import ABSENT, S3Objects


def main() -> None:
    """Print the answer; nothing where the server gave what no S3 server has."""
    objects = S3Objects(**json.load(sys.stdin))
    try:
        obstore.get(objects.connect(), ABSENT)
    except (BaseError, OSError) as error:
        sys.stdout.write(str(error))


if __name__ == "__main__":
    main()
