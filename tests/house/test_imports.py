"""Arrows go down, doors are private, nothing goes in circles, rules are pure."""

from collections.abc import Callable

import pytest

from tests.house.laws import imports
from tests.house.tree import Tree

LAWS = [
    imports.list_unknown_rooms,
    imports.list_upward_imports,
    imports.list_foreign_doors,
    imports.list_wrong_ranks,
    imports.list_cycles,
    imports.list_hidden_imports,
    imports.list_strangers,
    imports.list_impure_rules,
]
Law = Callable[[Tree], list[str]]


@pytest.mark.parametrize("law", LAWS)
def test_the_house_keeps(law: Law, house: Tree) -> None:
    assert law(house) == []


@pytest.mark.parametrize("law", LAWS)
def test_an_orderly_tree_passes(law: Law, planted: Callable[..., Tree]) -> None:
    tree = planted(
        {
            "regsys/app.py": "from regsys.registration import public",
            "regsys/registration/public.py": "from regsys.registration import forms, services",
            "regsys/registration/forms.py": "from regsys.web.forms import BaseForm",
            "regsys/registration/services.py": "from regsys.events.rules import is_open",
            "regsys/events/rules.py": "from datetime import datetime",
            "regsys/events/jobs.py": "def run():\n    import icalendar  # slow import",
            "regsys/sandbox/app.py": "import requests\nfrom regsys.kernel import clock",
            "regsys/kernel/clock.py": "import time",
            "regsys/web/forms.py": "",
        }
    )
    assert law(tree) == []


PLANTED = [
    (imports.list_upward_imports, "events/services.py", "from regsys.registration import queries"),
    (imports.list_upward_imports, "events/services.py", "import regsys.registration.queries"),
    (imports.list_upward_imports, "events/queries.py", "from ..registration import queries"),
    (imports.list_upward_imports, "events/services.py", "from regsys.app import create_app"),
    (imports.list_upward_imports, "events/services.py", "from regsys.sandbox import box"),
    (imports.list_upward_imports, "sandbox/box.py", "from regsys.events import queries"),
    (imports.list_upward_imports, "kernel/db.py", "def f():\n    from regsys.events import rules"),
    (imports.list_foreign_doors, "registration/public.py", "from regsys.events.public import show"),
    (imports.list_foreign_doors, "registration/public.py", "from regsys.events import forms"),
    (imports.list_foreign_doors, "hosts/forms.py", "from regsys.events.forms.parts import options"),
    (imports.list_wrong_ranks, "events/queries.py", "from regsys.events import services"),
    (imports.list_wrong_ranks, "events/services.py", "from regsys.events.public import show"),
    (imports.list_wrong_ranks, "events/models.py", "from regsys.events.queries import find"),
    (imports.list_hidden_imports, "events/services.py", "def f():\n    import icalendar"),
    (imports.list_hidden_imports, "events/services.py", "def f():\n    import io  # because"),
    (imports.list_strangers, "events/services.py", "import stripe"),
    (imports.list_strangers, "payments/gateway2.py", "from stripe import StripeClient"),
    (imports.list_strangers, "events/mail.py", "from flask_mail import Mail"),
    (imports.list_strangers, "events/mail.py", "import smtplib"),
    (imports.list_impure_rules, "events/rules.py", "from flask import request"),
    (imports.list_impure_rules, "events/rules.py", "from regsys.kernel import db"),
    (imports.list_impure_rules, "events/rules.py", "from regsys.kernel.clock import now"),
    (imports.list_impure_rules, "events/rules.py", "import random"),
    (imports.list_impure_rules, "events/rules.py", "from regsys.events.models import Event"),
    (imports.list_impure_rules, "events/rules.py", "x = datetime.now(UTC)"),
    (imports.list_unknown_rooms, "attic/__init__.py", ""),
]


@pytest.mark.parametrize(("law", "file", "source"), PLANTED)
def test_a_planted_violation_is_caught(
    law: Law, file: str, source: str, planted: Callable[..., Tree]
) -> None:
    files = {
        "regsys/app.py": "",
        "regsys/registration/queries.py": "",
        "regsys/events/forms.py": "",
        "regsys/events/services.py": "",
        "regsys/events/public.py": "",
        "regsys/kernel/db.py": "",
        "regsys/sandbox/box.py": "",
    }
    found = law(planted({**files, f"regsys/{file}": source}))
    assert len(found) == 1
    assert found[0].startswith((f"regsys/{file}", "regsys/attic/"))


def test_a_circle_of_modules_is_caught_inside_one_room(planted: Callable[..., Tree]) -> None:
    tree = planted(
        {
            "regsys/events/kinds.py": "from regsys.events.more import a",
            "regsys/events/more.py": "def f():\n    from regsys.events import kinds",
        }
    )
    assert imports.list_cycles(tree) == [
        "modules in a circle: regsys.events.kinds ↔ regsys.events.more"
    ]


def test_a_circle_of_rooms_is_caught_without_a_circle_of_modules(
    planted: Callable[..., Tree],
) -> None:
    tree = planted(
        {
            "regsys/events/rules.py": "from regsys.capacity import states",
            "regsys/events/states.py": "",
            "regsys/capacity/rules.py": "from regsys.events import states",
            "regsys/capacity/states.py": "",
        }
    )
    assert imports.list_cycles(tree) == ["rooms in a circle: capacity ↔ events"]
