"""How a script ends."""

import pathlib
import sys
from collections.abc import Callable

import botocore.exceptions

from deployment import Refusal


def run(main: Callable[[], None]) -> None:
    """Runs a script's main; what stops it becomes a sentence and an exit status."""
    script = pathlib.Path(sys.argv[0]).name
    try:
        main()
    except Refusal as refusal:
        print(f"{script}: {refusal}", file=sys.stderr)
        sys.exit(refusal.status)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        print(f"{script}: AWS: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
