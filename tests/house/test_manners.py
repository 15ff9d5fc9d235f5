"""Texts can be translated as a whole and do not shout; pages have nothing inline."""

from collections.abc import Callable

import pytest

from tests.house.laws import manners
from tests.house.tree import Tree

LAWS = [manners.list_inline_code, manners.list_patched_texts, manners.list_loud_texts]
Law = Callable[[Tree], list[str]]


@pytest.mark.parametrize("law", LAWS)
def test_the_house_keeps(law: Law, house: Tree) -> None:
    assert law(house) == []


PAGE = "templates/events/show.html"
CODE = "regsys/events/public.py"


@pytest.mark.parametrize("law", LAWS)
def test_an_orderly_tree_passes(law: Law, planted: Callable[..., Tree]) -> None:
    tree = planted(
        {
            PAGE: '<!doctype html><script src="x.js"></script><p class="on">{% if a != b %}{% endif %}</p>',
            "templates/events/mail_changed.html": "<style>p {}</style>",
            CODE: '_("Saved."); _(sentence, n=1); ngettext("%(num)d place", "%(num)d places", n)',
        }
    )
    assert law(tree) == []


PLANTED = [
    (manners.list_inline_code, PAGE, '<p style="color: red">'),
    (manners.list_inline_code, PAGE, "<style>p {}</style>"),
    (manners.list_inline_code, PAGE, "<script>alert(1)</script>"),
    (manners.list_inline_code, PAGE, '<a onclick="go()">'),
    (manners.list_inline_code, PAGE, '<a href="javascript:go()">'),
    (manners.list_patched_texts, CODE, '_(f"Saved {n}.")'),
    (manners.list_patched_texts, CODE, '_("Saved " + n)'),
    (manners.list_patched_texts, CODE, 'N_("Saved {}.".format(n))'),
    (manners.list_loud_texts, CODE, '_("Saved!")'),
    (manners.list_loud_texts, PAGE, "<p>{% trans %}Welcome!{% endtrans %}</p>"),
    (manners.list_loud_texts, PAGE, "<p>{{ _('Welcome!') }}</p>"),
]


@pytest.mark.parametrize(("law", "file", "source"), PLANTED)
def test_a_planted_violation_is_caught(
    law: Law, file: str, source: str, planted: Callable[..., Tree]
) -> None:
    (found,) = law(planted({file: source}))
    assert found.startswith(f"{file}:1 ")
