"""What templates are given: money, dates, Markdown, addresses, forms and the macros made of them."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import brotli
import pytest
from flask import Flask, render_template, render_template_string
from flask_babel import Babel
from flask_wtf import CSRFProtect
from jinja2 import UndefinedError
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    Form,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import DataRequired, InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from regsys.kernel.paths import root
from regsys.web import errors, html

LA = "America/Los_Angeles"
N = "\u00a0"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@dataclass(frozen=True)
class Places:
    total: int | None
    left: int
    held: int


@dataclass(frozen=True)
class Site:
    name: str = "Evergreen Balint Circle"
    tagline: str = "Thinking together"
    logo_url: str | None = None
    email: str = "circle@example.org"


@dataclass(frozen=True)
class Visitor:
    signed_in: bool = False
    label: str = ""
    home_url: str = "/"


@pytest.fixture
def page_app() -> Flask:
    """Return an app with templates and nothing behind them."""
    app = Flask(
        "x", template_folder=str(root() / "templates"), static_folder=str(root() / "static")
    )
    app.config.update(SECRET_KEY="x" * 40, TESTING=True)
    Babel(app, default_locale="en_US")
    CSRFProtect(app)
    html.register(app)
    frame = {"site": Site(), "nav": [], "actor": Visitor(), "cart_count": 0}
    app.context_processor(lambda: frame)
    return app


@pytest.fixture
def draw(page_app: Flask) -> Iterator[Callable[..., str]]:
    """Return a function that renders a template text that has every macro imported."""
    bits = '{% import "web/_bits.html" as bits %}{% import "web/_forms.html" as forms %}'
    with page_app.test_request_context("/list?q=ann&page=2"):
        yield lambda text, **values: " ".join(render_template_string(bits + text, **values).split())


# ---- money and dates


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (92000, "USD", "$920.00"),
        (0, "USD", "$0.00"),
        (-7550, "USD", "-$75.50"),
        (1000, "JPY", "¥1,000"),
        (1234567, "KWD", "KWD1,234.567"),
    ],
)
def test_money_is_shown_with_its_own_decimals(amount: int, currency: str, shown: str):
    assert html.money(amount, currency) == shown


def test_when_names_weekday_zone_and_joins_the_parts():
    assert html.when(utc(2027, 4, 22, 19, 30), LA) == f"Thu{N}22{N}Apr 2027, 12:30{N}PM{N}PDT"
    assert html.when(utc(2026, 12, 11, 2, 30), LA) == f"Thu{N}10{N}Dec 2026, 6:30{N}PM{N}PST"


def test_a_zone_without_letters_is_named_by_its_offset():
    assert html.clock(utc(2027, 4, 22, 8, 0), "Asia/Dubai") == f"12:00{N}PM{N}UTC+04"


def test_day_takes_a_moment_in_its_zone_or_a_plain_date():
    assert html.day(utc(2027, 4, 23, 5, 0), LA) == f"Thu{N}22{N}Apr 2027"
    assert html.day(date(2027, 4, 23)) == f"Fri{N}23{N}Apr 2027"


def test_times_on_one_day_say_the_day_once():
    shown = html.times(utc(2026, 12, 11, 2, 30), utc(2026, 12, 11, 4, 15), LA)
    assert shown == f"Thu{N}10{N}Dec 2026, 6:30 to 8:15{N}PM{N}PST"
    shown = html.times(utc(2027, 2, 6, 18, 0), utc(2027, 2, 6, 20, 0), LA)
    assert shown == f"Sat{N}6{N}Feb 2027, 10:00{N}AM to 12:00{N}PM{N}PST"


def test_times_over_days_and_over_a_clock_change_name_each_zone():
    shown = html.times(utc(2027, 3, 14, 7, 0), utc(2027, 3, 14, 19, 0), LA)
    assert (
        shown == f"Sat{N}13{N}Mar 2027, 11:00{N}PM{N}PST, to Sun{N}14{N}Mar 2027, 12:00{N}PM{N}PDT"
    )


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        (utc(2027, 4, 22, 19, 30), utc(2027, 4, 25, 19, 0), f"Thu{N}22 to Sun{N}25{N}Apr 2027"),
        (utc(2027, 4, 30, 19), utc(2027, 5, 2, 19), f"Fri{N}30{N}Apr to Sun{N}2{N}May 2027"),
        (utc(2026, 12, 30, 19), utc(2027, 1, 2, 19), f"Wed{N}30{N}Dec 2026 to Sat{N}2{N}Jan 2027"),
        (utc(2027, 4, 22, 19), utc(2027, 4, 22, 21), f"Thu{N}22{N}Apr 2027"),
    ],
)
def test_days_say_no_more_than_needed(start: datetime, end: datetime, shown: str):
    assert html.days(start, end, LA) == shown


def test_hours_leave_the_zone_to_the_heading():
    assert (
        html.hours(utc(2026, 12, 11, 2, 30), utc(2026, 12, 11, 4, 15), LA) == f"6:30{N}– 8:15{N}PM"
    )
    assert (
        html.hours(utc(2027, 4, 23, 17, 30), utc(2027, 4, 23, 19, 0), LA)
        == f"10:30{N}AM{N}– 12:00{N}PM"
    )


def test_a_deadline_at_midnight_belongs_to_the_day_that_ends():
    assert html.deadline(utc(2027, 2, 1, 8, 0), LA) == f"Sun{N}31{N}Jan 2027, 11:59{N}PM{N}PST"
    assert html.deadline(utc(2027, 2, 1, 20, 0), LA) == f"Mon{N}1{N}Feb 2027, 12:00{N}PM{N}PST"


def test_iso_carries_the_offset_of_the_zone():
    assert html.iso(utc(2027, 4, 22, 19, 30), LA) == "2027-04-22T12:30-07:00"
    assert html.iso(date(2027, 4, 22)) == "2027-04-22"


@pytest.mark.parametrize(
    ("count", "words"),
    [(21, "21 minutes"), (1, "1 minute"), (0, "less than a minute"), (-3, "less than a minute")],
)
def test_minutes_left_in_words(count: int, words: str):
    assert html.minutes(count) == words


# ---- words


def test_ring_for_places_counts_what_is_not_left_as_taken():
    ring = html.ring_for(Places(total=32, left=27, held=1), you=1)
    assert ring is not None
    assert (ring.taken, ring.you, ring.held, ring.free, ring.leaders) == (3, 1, 1, 27, 2)
    assert html.ring_for(Places(total=None, left=0, held=0)) is None


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Undine Nutkin", "UN"), ("Philippa Nightingale-Pond", "PN"), ("Moss", "M"), ("", "")],
)
def test_initials(name: str, letters: str):
    assert html.initials(name) == letters


def test_markdown_starts_one_step_below_the_title():
    assert (
        html.markdown("# One\n\n## Two\n\n#### Four")
        == "<h2>One</h2>\n<h3>Two</h3>\n<h4>Four</h4>\n"
    )


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '<a href="#" onclick="x()">a</a>',
        "[a](javascript:alert(1))",
        '<iframe src="https://example.org"></iframe>',
        "[a](data:text/html;base64,AAAA)",
        "<style>body{display:none}</style>",
    ],
)
def test_markdown_lets_nothing_active_through(hostile: str):
    made = html.markdown(f"before {hostile} after")
    assert "before" in made
    assert set(re.findall(r"<(\w+)", made)) <= {"p", "a"}
    assert not re.search(r'<[^>]*(onclick|href="(javascript|data):)', made)


def test_markdown_keeps_own_pictures_and_says_foreign_ones_in_words():
    assert '<img src="/static/a.png" alt="us">' in html.markdown("![us](/static/a.png)")
    assert html.markdown("![us](https://example.org/a.png)") == "<p>us</p>\n"
    assert html.markdown("![us](//example.org/a.png)") == "<p>us</p>\n"


# ---- addresses


def test_asset_changes_its_address_with_the_content(tmp_path: Path):
    app = Flask("x", static_folder=str(tmp_path), static_url_path="/static")
    file = tmp_path / "a.css"
    file.write_text("one")
    with app.test_request_context():
        first = html.asset("a.css")
        assert re.fullmatch(r"/static/a\.css\?v=[0-9a-f]{10}", first)
        assert html.asset("a.css") == first
        file.write_text("two")
        os.utime(file, ns=(1, 1))
        assert html.asset("a.css") != first


def test_asset_knows_where_the_app_is_mounted(page_app: Flask):
    with page_app.test_request_context(environ_overrides={"SCRIPT_NAME": "/circle"}):
        assert html.asset("css/base.css").startswith("/circle/static/css/base.css?v=")


def test_fonts_have_the_address_that_the_style_sheet_names(page_app: Flask):
    css = (root() / "static/css/base.css").read_text()
    named = re.findall(r'url\("\.\./(fonts/[^"]+)"\)', css)
    assert len(named) == 2
    with page_app.test_request_context():
        assert [html.asset(path) for path in named] == [f"/static/{path}" for path in named]


def test_here_keeps_the_other_values(page_app: Flask):
    with page_app.test_request_context("/list?q=a%26b&page=2&kind=x&kind=y"):
        assert html.here(page=3) == "/list?q=a%26b&page=3&kind=x&kind=y"
        assert html.here(page=None, kind=None) == "/list?q=a%26b"
        assert html.here(page=None, kind=None, q=None) == "/list"


# ---- paging, spark


def test_a_page_knows_its_place_in_the_list():
    page = html.Page(list(range(12)), number=2, size=20, total=32)
    assert (page.first, page.last, page.pages, page.previous, page.next) == (21, 32, 2, 1, None)
    assert html.Page.offset_of(2, 20) == 20
    assert html.Page.offset_of(-1, 20) == 0


def test_an_empty_page_is_page_one_of_one():
    page = html.Page([], number=1, size=20, total=0)
    assert (page.first, page.last, page.pages, page.previous, page.next) == (0, 0, 1, None, None)


def test_spark_draws_the_highest_day_at_the_top():
    assert html.spark_path([0, 2, 1]) == "M0 28 L60 3 L120 15.5"
    assert html.spark_path([0, 0]) == "M0 28 L120 28"
    assert html.spark_path([]) == "M0 28 H120"


# ---- forms


class Sample(Form):
    first = StringField("First name", [DataRequired()], description="As on your badge.")
    badge = StringField("Badge")
    kind = SelectField("Kind", choices=[SelectChoice("a", "A"), SelectChoice("b", "B")])
    stage = RadioField("Stage", [InputRequired("Choose.")], choices=[SelectChoice("s", "Student")])
    food = SelectMultipleField(
        "Food",
        choices=[SelectChoice("v", "Vegetarian")],
        option_widget=CheckboxInput(),
        widget=ListWidget(),
    )
    agree = BooleanField("I agree", [DataRequired("We need your word.")])


def wrong_sample() -> Sample:
    form = Sample(MultiDict({"kind": "a"}))
    assert not form.validate()
    return form


def test_form_errors_point_at_what_takes_the_focus_and_name_bare_sentences():
    assert html.form_errors(wrong_sample()) == [
        ("first", "First name: This field is required."),
        ("stage-0", "Choose."),
        ("agree", "We need your word."),
    ]


def test_a_field_has_label_help_error_and_says_so_to_assistive_technology(draw: Callable[..., str]):
    made = draw("{{ forms.field(f.first, autocomplete='given-name') }}", f=wrong_sample())
    assert made == (
        '<div class="field field--bad"> <label for="first">First name</label> '
        '<p class="help" id="first-help">As on your badge.</p> '
        '<p class="wrong" id="first-wrong">This field is required.</p> '
        '<input aria-describedby="first-wrong first-help" aria-invalid="true" autocomplete="given-name" class="input" '
        'id="first" name="first" required type="text" value=""> </div>'
    )


@pytest.mark.parametrize(
    ("call", "part"),
    [
        ("forms.field(f.badge)", 'Badge <span class="may">(optional)</span></label>'),
        (
            "forms.field(f.badge, may='(if different)')",
            'Badge <span class="may">(if different)</span></label>',
        ),
        ("forms.field(f.badge, may='')", "Badge</label>"),
        ("forms.field(f.badge, size='middle')", 'class="input input--middle"'),
        ("forms.field(f.kind, size='small')", '<select class="select select--small"'),
        (
            "forms.field(f.stage)",
            '<fieldset class="choices field--bad" id="stage" aria-describedby="stage-wrong">',
        ),
        (
            "forms.field(f.stage)",
            'name="stage" required type="radio" value="s"> <span>Student</span>',
        ),
        ("forms.field(f.food, row=true)", '<fieldset class="choices choices--row" id="food">'),
        (
            "forms.field(f.food)",
            '<input id="food-0" name="food" type="checkbox" value="v"> <span>Vegetarian</span>',
        ),
        (
            "forms.field(f.agree)",
            '<p class="wrong" id="agree-wrong">We need your word.</p> <label class="choice">',
        ),
    ],
)
def test_each_kind_of_field_is_drawn_in_its_way(draw: Callable[..., str], call: str, part: str):
    assert part in draw("{{ " + call + " }}", f=wrong_sample())


def test_the_error_summary_takes_the_focus_and_uses_the_same_words(draw: Callable[..., str]):
    made = draw("{{ forms.wrong_list(f) }}", f=wrong_sample())
    assert 'tabindex="-1" autofocus' in made
    assert "3 answers need another look" in made
    assert '<li><a href="#stage-0">Choose.</a></li>' in made
    assert draw("{{ forms.wrong_list(f) }}", f=Sample()) == ""


def test_what_people_wrote_is_escaped(draw: Callable[..., str]):
    made = draw("{{ forms.field(f.badge) }}", f=Sample(MultiDict({"badge": '"><script>'})))
    assert 'value="&#34;&gt;&lt;script&gt;"' in made


# ---- macros and pages


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ("bits.price(92000, 'USD')", '<span class="price">$920.00</span>'),
        ("bits.price(0, 'USD')", '<span class="price">Free</span>'),
        ("bits.price(66000, 'USD', from_=true)", '<span class="price">from $660.00</span>'),
        (
            "bits.state('Paid', 'full', 'good')",
            '<span class="state state--full state--good">Paid</span>',
        ),
        ("bits.state('Open')", '<span class="state">Open</span>'),
        ("bits.ring(none)", ""),
        (
            "bits.pairs([('A', 'b'), ('C', none), ('D', '')])",
            '<dl class="pairs"> <div><dt>A</dt><dd>b</dd></div> </dl>',
        ),
    ],
)
def test_small_macros(draw: Callable[..., str], call: str, shown: str):
    assert draw("{{ " + call + " }}") == shown


def test_the_ring_is_hidden_from_assistive_technology_and_needs_no_style(draw: Callable[..., str]):
    made = draw("{{ bits.ring(ring_of(taken=1, you=1, free=6), 'event', count=6) }}")
    assert made.startswith(
        '<svg class="ring ring--event ring--mine" viewBox="-120 -120 240 240" aria-hidden="true"'
    )
    assert made.count("<use ") == 10
    assert "style=" not in made


def test_the_hold_says_the_time_left_once_and_offers_more_only_if_there_is_more(
    draw: Callable[..., str],
):
    call = "{{ bits.hold(1272, until, 'America/Los_Angeles', places=places, extend_url=url) }}"
    made = draw(call, until=utc(2026, 11, 26, 4, 38), places=1, url="/extend")
    assert 'Your place is held for another <span class="num">21 minutes</span>, until' in made
    assert 'data-hold="1272"' in made
    assert '<form action="/extend" method="post">' in made
    made = draw(call, until=utc(2026, 11, 26, 4, 38), places=3, url=None)
    assert "Your 3 places are held for another" in made
    assert "<form" not in made


def test_the_pager_keeps_the_filters(draw: Callable[..., str]):
    page = html.Page(list(range(20)), number=2, size=20, total=52)
    made = draw("{{ bits.pager(page) }}", page=page)
    assert "21 to 40 of 52" in made
    assert 'href="/list?q=ann&amp;page=1" rel="prev">The 20 before' in made
    assert 'href="/list?q=ann&amp;page=3" rel="next">The next 12' in made


def test_a_sorted_column_says_so_and_turns_round(draw: Callable[..., str]):
    made = draw("{{ bits.sort_head('Name', 'name', 'name') }}")
    assert 'aria-sort="ascending"' in made
    assert 'href="/list?q=ann&amp;sort=-name"' in made
    assert "aria-sort" not in draw("{{ bits.sort_head('Name', 'name', 'no') }}")


def test_a_name_that_is_not_there_is_an_error(page_app: Flask):
    with page_app.test_request_context():
        with pytest.raises(UndefinedError):
            render_template_string("{{ nobody }}")


def test_the_error_page_says_what_happened_and_where_to_go(page_app: Flask):
    with page_app.test_request_context():
        made = render_template(
            "web/error.html",
            status=500,
            title="Something went wrong",
            sentence="It has been written down.",
            kept=["Nothing was charged."],
            steps=[{"label": "Other events", "url": "/events"}, {"label": "Home", "url": "/"}],
            incident="7H2K",
        )
    assert "<title>Something went wrong · Evergreen Balint Circle</title>" in made
    assert '<span class="mono">7H2K</span>' in made
    assert "<p>Nothing was charged.</p>" in made
    assert '<a class="button" href="/events">Other events</a>' in made
    assert '<a href="/">Home</a>' in made


def test_pages_carry_nothing_that_the_content_policy_forbids(page_app: Flask):
    with page_app.test_request_context():
        made = render_template(
            "web/error.html", status=404, title="Nothing here", sentence="The link is old."
        )
    assert not re.search(r"\sstyle=|<style|\son\w+=", made)
    assert '<a class="button" href="/">Go to the home page</a>' in made
    scripts: list[Any] = re.findall(r"<script([^>]*)>(.*?)</script>", made)
    assert [body for _, body in scripts] == [""]
    assert not re.search(r'(src|href)="(https?:)?//', made)


def test_the_last_page_of_all_is_drawn_even_where_the_frame_fails(page_app: Flask):
    def broken_frame() -> dict[str, object]:
        raise RuntimeError("the database is away")

    page_app.config.update(TESTING=False)
    errors.register(page_app)
    page_app.context_processor(broken_frame)
    page_app.add_url_rule("/boom", view_func=lambda: str(1 / 0))
    answer = page_app.test_client().get("/boom")
    assert answer.status_code == 500
    assert "Nothing that you had finished is lost" in answer.text
    assert re.search(r'<span class="mono">\w{8}</span>', answer.text)


# ---- weight and colours


def test_what_an_event_page_brings_along_leaves_room_for_the_page_in_120_kilobytes():
    static = root() / "static"
    css = ("tokens", "base", "layout", "components", "forms", "print", "pages/event")
    files = [*(static / "css" / f"{name}.css" for name in css), static / "js/main.js"]
    packed = sum(len(brotli.compress(f.read_bytes(), quality=11)) for f in files)
    fonts = sum(f.stat().st_size for f in (static / "fonts").glob("*.woff2"))
    assert packed <= 18_000
    assert fonts <= 81_000


def test_no_colour_is_named_outside_the_tokens():
    found = {
        f.name: re.findall(r"#[0-9a-fA-F]{3,8}\b(?!\s*[{,])|\brgb\(", f.read_text())
        for f in (root() / "static/css").rglob("*.css")
        if f.name != "tokens.css"
    }
    assert len(found) >= 8
    assert {name: colours for name, colours in found.items() if colours} == {}


def test_every_name_that_a_style_uses_is_defined():
    css = "\n".join(f.read_text() for f in (root() / "static/css").rglob("*.css"))
    used = set(re.findall(r"var\((--[\w-]+)", css))
    assert len(used) >= 50
    assert used - set(re.findall(r"(--[\w-]+):", css)) == set()
