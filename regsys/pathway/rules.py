"""Does somebody have behind them what an event wants? Yes, no, or nobody knows here; and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from regsys.kernel.text import N_
from regsys.pathway.kinds import Need, Verdict

# Whoever led a group so long ago may have stopped.
STALE = timedelta(days=365)


@dataclass(frozen=True)
class Want:
    """One thing that is wanted, so many times."""

    need: Need
    count: int = 1
    required: bool = False


@dataclass(frozen=True)
class Attended:
    """An intensive of this system that is over, and in which the person had a place."""

    title: str
    ended: date


@dataclass(frozen=True)
class Attested:
    """What somebody wrote down about a person; `holds` False: that it is not so."""

    need: Need
    holds: bool
    what: str
    by: str
    on: date
    until: date | None = None


@dataclass(frozen=True)
class Listed:
    """What the list of members says about an address."""

    number: str
    until: date
    valid: bool


@dataclass(frozen=True)
class History:
    """Everything that is known of a person. `leads`: groups that they lead now; `listed`: on the list of members."""

    intensives: Sequence[Attended] = ()
    leads: Sequence[str] = ()
    attested: Sequence[Attested] = ()
    listed: Listed | None = None

    def about(self, need: Need) -> list[Attested]:
        """Return what was attested about one thing, the newest first."""
        mine = [a for a in self.attested if a.need is need]
        return sorted(mine, key=lambda a: a.on, reverse=True)


@dataclass(frozen=True)
class Finding:
    """The answer to one want, with the reason as a message and its facts."""

    want: Want
    verdict: Verdict
    why: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def judge(wants: Sequence[Want], history: History, today: date) -> list[Finding]:
    """Answer every want."""
    return [_JUDGES[want.need](want, history, today) for want in wants]


def stops(findings: Sequence[Finding]) -> list[Finding]:
    """Return what keeps somebody from applying: something required that is known not to be so. Unknown is not no."""
    return [f for f in findings if f.want.required and f.verdict is Verdict.NO]


def _intensives(want: Want, history: History, today: date) -> Finding:
    attested = history.about(Need.INTENSIVES)
    known = [f"{i.title} ({i.ended.year})" for i in history.intensives if i.ended < today]
    known += [f"{a.what} ({a.by})" for a in attested if a.holds]
    facts = {"found": len(known), "wanted": want.count, "list": ", ".join(known)}
    if len(known) >= want.count:
        return Finding(want, Verdict.YES, N_("Attended: %(list)s."), facts)
    denied = next((a for a in attested if not a.holds), None)
    if denied:
        return Finding(want, Verdict.NO, N_("%(what)s (%(by)s)."), _said(denied))
    if known:
        why = N_(
            "%(found)s of %(wanted)s: %(list)s. What was before this system is not known here."
        )
        return Finding(want, Verdict.UNKNOWN, why, facts)
    why = N_("None is known under this address. What was before this system is not known here.")
    return Finding(want, Verdict.UNKNOWN, why, facts)


def _member(want: Want, history: History, today: date) -> Finding:
    listed = history.listed
    if listed and listed.valid:
        facts = {"number": listed.number, "until": listed.until}
        why = N_("On the list of members: number %(number)s, until %(until)s.")
        return Finding(want, Verdict.YES, why, facts)
    newest = next(iter(history.about(Need.MEMBER)), None)
    if newest is None and listed:
        why = N_("On the list of members until %(until)s, and not any more.")
        return Finding(want, Verdict.NO, why, {"until": listed.until})
    if newest is None:
        return Finding(want, Verdict.UNKNOWN, N_("No membership is known under this address."))
    if not newest.holds:
        return Finding(want, Verdict.NO, N_("%(what)s (%(by)s)."), _said(newest))
    if newest.until and newest.until < today:
        ended = {**_said(newest), "until": newest.until}
        return Finding(want, Verdict.NO, N_("The membership ended on %(until)s."), ended)
    return Finding(want, Verdict.YES, N_("%(what)s (%(by)s)."), _said(newest))


def _leads_group(want: Want, history: History, today: date) -> Finding:
    if history.leads:
        facts = {"list": ", ".join(history.leads)}
        return Finding(want, Verdict.YES, N_("Leads %(list)s."), facts)
    newest = next(iter(history.about(Need.LEADS_GROUP)), None)
    if newest is None:
        return Finding(want, Verdict.UNKNOWN, N_("No group is known under this address."))
    if not newest.holds:
        return Finding(want, Verdict.NO, N_("%(what)s (%(by)s)."), _said(newest))
    if newest.until and newest.until < today:
        ended = {**_said(newest), "until": newest.until}
        return Finding(want, Verdict.NO, N_("%(what)s, until %(until)s."), ended)
    if newest.until is None and today - newest.on > STALE:
        why = N_("%(what)s (%(by)s). That is more than a year ago.")
        return Finding(want, Verdict.UNKNOWN, why, _said(newest))
    return Finding(want, Verdict.YES, N_("%(what)s (%(by)s)."), _said(newest))


def _said(one: Attested) -> dict[str, Any]:
    return {"what": one.what, "by": one.by}


_JUDGES = {
    Need.INTENSIVES: _intensives,
    Need.MEMBER: _member,
    Need.LEADS_GROUP: _leads_group,
}
