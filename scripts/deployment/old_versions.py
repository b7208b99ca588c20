"""Removes published versions that no alias names and no roll-back returns to.

Lambda keeps every version's zip in the account's code storage, 75 GB in a region. A full storage
refuses each new version, and so every deployment, a repair too.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator

import botocore.exceptions

from deployment import Refusal, environment
from deployment.releases import Aliases, Bucket, Record

# For `roll-back --to` and for `live_versions`, which name any published version. Ten of each of 55
# functions, at 3 MB, are 1.6 GB.
NEWEST_KEPT = 10


def remove(aliases: Aliases, bucket: Bucket, names: Iterable[str], say: Callable[[str], None]) -> None:
    """Never fails: the release is live, and the next one tries again."""
    removed = 0
    refusals: dict[str, list[str]] = {}

    @contextlib.contextmanager
    def noted(subject: str) -> Iterator[None]:
        try:
            yield
        except (Refusal, botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as refused:
            refusals.setdefault(reason(refused), []).append(subject)

    with noted("every function"):
        record = bucket.record()
        for name in names:
            with noted(name):
                for version in unneeded(aliases, record, name):
                    with noted(f"{name} ({version})"):
                        aliases.remove(name, version)
                        removed += 1
    if removed:
        say(f"{removed} old version{'s' * (removed != 1)} of functions removed")
    for why, subjects in refusals.items():
        say(f"NOTE: old versions of {', '.join(subjects)} could not be removed: {why}")


def unneeded(aliases: Aliases, record: Record, name: str) -> list[str]:
    published = aliases.versions(name)
    older = published[:-NEWEST_KEPT]
    if not older:
        return []
    kept = aliases.named(name)
    # Without a record, roll-back goes to the version published before the live one.
    live = aliases.live(name)
    kept |= {before for before, version in itertools.pairwise(published) if version == live}
    if move := record.moved.get(name):
        kept |= {move.before, move.after}
    if hold := record.held.get(name):
        kept.add(hold.version)
    return [version for version in older if version not in kept]


def reason(refused: Exception) -> str:
    return environment.code_of(refused) if isinstance(refused, botocore.exceptions.ClientError) else str(refused)
