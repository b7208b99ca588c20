"""New versions under part of the invocations first, taken back when an alarm rings."""

import contextlib
from collections.abc import Callable, Iterator

from deployment import Refusal
from deployment.environment import Environment
from deployment.releases import FUNCTION_ALARMS, Aliases, Bucket, Hold, Move

# The whole deployment's alarms that a release can cause. The others count guesses, quotas, and
# other people's actions.
SHARED_ALARMS = ("ServerErrors", "DependencyUnavailable", "api-5xx")
MOST_NAMES = 100  # that DescribeAlarms takes at once


class Canary:
    def __init__(self, where: Environment, names: list[str], say: Callable[[str], None]) -> None:
        self.where = where
        self.aliases = Aliases(where)
        self.bucket = Bucket(where)
        self.say = say
        self.moves = {name: move for name in names if (move := self.due(name))}

    def due(self, name: str) -> Move | None:
        """From the live version to the newest, if that may become live."""
        live = self.aliases.live(name)
        if live is None:
            raise Refusal(f"{self.aliases.function(name)} has no alias; deploy-phased makes it")
        newest = self.aliases.newest(name)
        held = self.bucket.record().held.get(name)
        if newest == live or (held and held.instead_of == self.aliases.zip_of(name, newest)):
            return None
        return Move(live, newest)

    def run(self, percent: float, looks: int, pause: Callable[[], None]) -> None:
        """Hands part of the invocations to the new versions, looks at the alarms after each pause,
        and makes them live in the end."""
        if ringing := self.ringing():
            raise Refusal(f"these alarms ring already, so nothing would be learnt: {', '.join(ringing)}")
        with self.withdrawn_at_the_end():
            for name, move in self.moves.items():
                self.aliases.move(name, move.before, {move.after: percent / 100})
                self.say(f"{name}: {percent:g} % to version {move.after}, the rest to {move.before}")
            for _ in range(looks):
                pause()
                if ringing := self.ringing():
                    self.hold()
                    raise Refusal(
                        f"taken back, because an alarm rang: {', '.join(ringing)}. The versions before stay until there are other zips"
                    )
        self.promote()

    @contextlib.contextmanager
    def withdrawn_at_the_end(self) -> Iterator[None]:
        """At any end, no unwatched weight remains."""
        try:
            yield
        except BaseException:
            for name, move in self.moves.items():
                self.aliases.move(name, move.before)
                self.say(f"{name}: all to version {move.before} again")
            raise

    def hold(self) -> None:
        record = self.bucket.record()
        for name, move in self.moves.items():
            record.held[name] = Hold(move.before, self.aliases.zip_of(name, move.after))
        self.bucket.put_record(record)

    def promote(self) -> None:
        for name, move in self.moves.items():
            self.aliases.move(name, move.after)
            self.say(f"{name}: all to version {move.after}")
        record = self.bucket.record()
        record.moved = self.moves
        self.bucket.put_record(record)

    def ringing(self) -> list[str]:
        alarms = [f"{self.aliases.function(name)}-{alarm}" for name in self.moves for alarm in FUNCTION_ALARMS]
        alarms += [f"{self.where.prefix}-{alarm}" for alarm in SHARED_ALARMS]
        found: dict[str, str] = {}
        for start in range(0, len(alarms), MOST_NAMES):
            answer = self.where.aws("cloudwatch").describe_alarms(AlarmNames=alarms[start : start + MOST_NAMES], AlarmTypes=["MetricAlarm"])
            found |= {alarm["AlarmName"]: alarm["StateValue"] for alarm in answer["MetricAlarms"]}
        missing = [name for name in alarms if name not in found]
        if missing:
            raise Refusal(f"nothing would undo the release, because these alarms are not there: {', '.join(missing)}")
        return [name for name in alarms if found[name] == "ALARM"]
