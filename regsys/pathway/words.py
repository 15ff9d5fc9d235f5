"""What is wanted and what is known, in words."""

from datetime import date

from flask_babel import gettext as _
from flask_babel import ngettext

from regsys.kernel.text import N_
from regsys.pathway.kinds import NAMES, Need, Verdict
from regsys.pathway.rules import Finding, Want
from regsys.web.html import day

VERDICTS = {
    Verdict.YES: (N_("Yes"), "full", "good"),
    Verdict.NO: (N_("No"), "over", "bad"),
    Verdict.UNKNOWN: (N_("Not known"), "held", "warn"),
}


def need_name(need: Need) -> str:
    """Return the heading of one thing that can be wanted."""
    return _(NAMES[need])


def want_words(want: Want) -> str:
    """Return one thing that an event wants, as a phrase."""
    if want.need is Need.INTENSIVES:
        return ngettext(
            "one intensive attended before", "%(num)d intensives attended before", want.count
        )
    if want.need is Need.MEMBER:
        return _("membership of the society")
    return _("a group that you lead now")


def finding_words(finding: Finding) -> str:
    """Return why the answer is what it is."""
    facts = {k: day(v) if isinstance(v, date) else v for k, v in finding.facts.items()}
    return _(finding.why, **facts)


def verdict_chip(finding: Finding) -> tuple[str, str, str]:
    """Return word, shape and tone of an answer."""
    word, shape, tone = VERDICTS[finding.verdict]
    return _(word), shape, tone
