"""How a script ends."""

import sys
from collections.abc import Callable

import botocore.exceptions

from deployment import SCRIPT, Refusal


def run(main: Callable[[], None]) -> None:
    """Runs a script's main; an error becomes a sentence and an exit status."""
    try:
        main()
    except Refusal as refusal:
        print(f"{SCRIPT}: {refusal}", file=sys.stderr)
        sys.exit(refusal.status)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        print(f"{SCRIPT}: AWS: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
