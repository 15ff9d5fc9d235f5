"""Templates mirror the rooms, and their texts can be translated."""

from collections.abc import Callable

import pytest

from tests.house.laws import templates, texts
from tests.house.tree import Tree

LAWS = [
    templates.list_homeless,
    templates.list_never_rendered,
    templates.list_missing,
    texts.list_untranslated_templates,
    texts.list_untranslated_code,
    texts.list_untranslated_refusals,
]
Law = Callable[[Tree], list[str]]


@pytest.mark.parametrize("law", LAWS)
def test_the_house_keeps(law: Law, house: Tree) -> None:
    assert law(house) == []


ORDERLY = {
    "regsys/events/public.py": """render_template("events/show.html", title=_("Groups"))
flash(_("Saved."))""",
    "regsys/events/mail.py": """compose("events/mail_changed", subject=_("Changed"))
send("moved")
def send(kind): compose(f"events/mail_{kind}")""",
    "regsys/events/forms.py": 'name = StringField(_l("Name"))',
    "regsys/events/rules.py": 'Refusal("full", N_("This is full."))',
    "templates/events/show.html": """{% extends "web/base.html" %}
{% from "web/_bits.html" import row with context %}
<p class="quiet two" title="{{ _('Really') }}" data-x="Some words">
  {% trans n=3 %}There are {{ n }}.{% endtrans %} {{ row(_("Two words")) }} · 3 &nbsp; {{ event.title }}</p>
<input type="hidden" value="some words"> <script src="x.js"></script>
<meta name="viewport" content="width=device-width">
{% if event.state == "Two words" %}{% endif %}""".replace(' == "Two words"', ""),
    "templates/events/mail_changed.html": "<p>{{ _('Changed') }}</p>",
    "templates/events/mail_changed.txt": "{{ _('Changed') }}\n--\n",
    "templates/events/mail_moved.txt": "",
    "templates/web/base.html": "{% block content %}{% endblock %}",
    "templates/web/_bits.html": "{% macro row(x) %}<b>{{ x }}</b>{% endmacro %}",
}


@pytest.mark.parametrize("law", LAWS)
def test_an_orderly_tree_passes(law: Law, planted: Callable[..., Tree]) -> None:
    assert law(planted(ORDERLY)) == []


PLANTED = [
    (templates.list_homeless, "templates/attic/show.html", ""),
    (templates.list_homeless, "templates/show.html", ""),
    (templates.list_homeless, "templates/events/ShowAll.html", ""),
    (templates.list_never_rendered, "templates/events/_old.html", ""),
    (templates.list_never_rendered, "templates/events/mail_lost.txt", ""),
    (templates.list_missing, "regsys/events/organizer.py", 'render("events/edit.html")'),
    (templates.list_missing, "templates/web/base.html", '{% include "web/_foot.html" %}'),
    (texts.list_untranslated_templates, "templates/web/base.html", "<p>Hello</p>"),
    (texts.list_untranslated_templates, "templates/web/base.html", "<p>{{ n }} places</p>"),
    (texts.list_untranslated_templates, "templates/web/base.html", '<img alt="A house">'),
    (texts.list_untranslated_templates, "templates/web/base.html", '<a title="Open {{ x }}"></a>'),
    (texts.list_untranslated_templates, "templates/web/base.html", '<b aria-label="Close"></b>'),
    (texts.list_untranslated_templates, "templates/web/base.html", '<input placeholder="Name">'),
    (texts.list_untranslated_templates, "templates/web/base.html", '<input type="submit" value="Go on">'),
    (texts.list_untranslated_templates, "templates/web/base.html", "{{ row('Two words') }}"),
    (texts.list_untranslated_templates, "templates/web/base.html", "{{ row(label='Name') }}"),
    (texts.list_untranslated_templates, "templates/web/base.html", "{% if a %}Name{% endif %}"),
    (texts.list_untranslated_templates, "templates/web/base.html", "{% macro m() %}Name{% endmacro %}"),
    (texts.list_untranslated_templates, "templates/events/mail_changed.txt", "Dear {{ name }},"),
    (texts.list_untranslated_code, "regsys/events/public.py", "flash('Saved.')"),
    (texts.list_untranslated_code, "regsys/events/forms.py", "x = StringField('Name')"),
    (texts.list_untranslated_code, "regsys/events/forms.py", "x = StringField(label='Name')"),
    (texts.list_untranslated_code, "regsys/events/mail.py", "compose('x', subject=f'Changed: {t}')"),
    (texts.list_untranslated_refusals, "regsys/events/rules.py", "Refusal('full', 'It is full.')"),
]  # fmt: skip


@pytest.mark.parametrize(("law", "file", "source"), PLANTED)
def test_a_planted_violation_is_caught(
    law: Law, file: str, source: str, planted: Callable[..., Tree]
) -> None:
    found = law(planted({**ORDERLY, file: source}))
    assert len(found) == 1
    assert file.split("/")[-1] in found[0]
