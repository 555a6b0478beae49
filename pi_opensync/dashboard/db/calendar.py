"""Days as whole numbers, so that tens of thousands of turns are put on theirs in a moment."""

from datetime import UTC, date, tzinfo

from pi_opensync.dashboard.times import at
from pi_opensync.model import SLOT_MS

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
_EPOCH = date(1970, 1, 1).toordinal()
_DAYS_OF_A_WEEK = 7
_SLOTS_OF_AN_HOUR = HOUR_MS // SLOT_MS
_THURSDAY = 3  # the weekday of day 0, from Monday


class Calendar:
    """The days of a zone; None is this machine's. Day 0 is 1 January 1970."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone

        self._at_begin: dict[int, int] = {}
        self._offsets: dict[int, int | None] = {}

    def place(self, moment: int) -> tuple[int, int]:
        """Return the day and the hour of a moment in ms."""
        offset = self.offset_of(moment // DAY_MS)
        local = moment + (self._offset(moment) if offset is None else offset)
        return local // DAY_MS, local % DAY_MS // HOUR_MS

    def offset_of(self, utc_day: int) -> int | None:
        """Return the zone's offset in ms on a day of UTC; None where it changes by the next."""
        if utc_day not in self._offsets:
            begin, end = self._begin(utc_day), self._begin(utc_day + 1)
            self._offsets[utc_day] = begin if begin == end else None
        return self._offsets[utc_day]

    def _begin(self, utc_day: int) -> int:
        found = self._at_begin.get(utc_day)
        if found is None:
            found = self._at_begin[utc_day] = self._offset(utc_day * DAY_MS)
        return found

    def first_slot(self, day: int) -> int:
        """Return the number of the first quarter of an hour of a day, or of the days after it."""
        slot = (day - 1) * DAY_MS // SLOT_MS
        while self.place(slot * SLOT_MS)[0] < day:
            slot += 1
        return slot

    def slots_of_hour(self, weekday: int, hour: int, first: int, last: int) -> list[int]:
        """Return the quarters of an hour of all such hours from one day to another, both included."""
        monday = first - weekday_of(first)
        slots = []
        for day in range(monday + weekday, last + 1, _DAYS_OF_A_WEEK):
            if day < first:
                continue
            usual = self.first_slot(day) + hour * _SLOTS_OF_AN_HOUR
            # The clock may have been changed between midnight and this hour.
            near = range(usual - _SLOTS_OF_AN_HOUR, usual + 2 * _SLOTS_OF_AN_HOUR)
            slots += [slot for slot in near if self.place(slot * SLOT_MS) == (day, hour)]
        return slots

    def _offset(self, moment: int) -> int:
        local = at(moment, self._zone)
        return moment_of(local.replace(tzinfo=UTC).timestamp()) - moment


def moment_of(seconds: float) -> int:
    return round(seconds * 1000)


def number_of(day: date) -> int:
    return day.toordinal() - _EPOCH


def day_of(number: int) -> date:
    return date.fromordinal(max(1, min(number + _EPOCH, date.max.toordinal())))


def weekday_of(number: int) -> int:
    """Return 0 for a Monday."""
    return (number + _THURSDAY) % 7
