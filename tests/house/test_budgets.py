"""Nothing is longer than its budget."""

from collections.abc import Callable, Sequence

import pytest

from tests.house.laws import budgets
from tests.house.laws.budgets import FILES, FUNCTIONS, TEMPLATES, VIEWS, Budget, Thing
from tests.house.tree import Tree

Lister = Callable[[Tree], Sequence[Thing]]
BUDGETS = [
    (FUNCTIONS, budgets.list_functions),
    (FILES, budgets.list_files),
    (VIEWS, budgets.list_views),
    (TEMPLATES, budgets.list_templates),
]


@pytest.mark.parametrize(("budget", "lister"), BUDGETS, ids=[b.what for b, _ in BUDGETS])
def test_the_house_keeps_its_budgets(
    budget: Budget, lister: Lister, house: Tree, record_property: Callable[[str, object], None]
) -> None:
    things = lister(house)
    for line in budgets.list_warnings(budget, things):
        record_property("warns", line)
    assert budgets.list_passed(budget, things) == []
    assert len(things) > 3


def function(name: str, lines: int) -> str:
    return f"def {name}():\n" + "    x = 1\n" * (lines - 1)


PLANTED = [
    (FUNCTIONS, budgets.list_functions, "regsys/events/rules.py", function("f", 60)),
    (FILES, budgets.list_files, "regsys/events/rules.py", "x = 1\n" * 400),
    (VIEWS, budgets.list_views, "regsys/events/public.py", "@door.get('/')\n" + function("v", 40)),
    (TEMPLATES, budgets.list_templates, "templates/events/show.html", "<p>\n" * 250),
]


@pytest.mark.parametrize(("budget", "lister", "file", "source"), PLANTED)
def test_one_line_too_many_is_caught(
    budget: Budget, lister: Lister, file: str, source: str, planted: Callable[..., Tree]
) -> None:
    assert budgets.list_passed(budget, lister(planted({file: source}))) == []
    longer = source + source.splitlines()[-1] + "\n"
    (found,) = budgets.list_passed(budget, lister(planted({file: longer})))
    assert found.startswith(file)
    assert found.endswith(f"{budget.what} stop at {budget.stop}")


def test_a_warning_comes_before_the_stop() -> None:
    short = [Thing("short", 5)] * 90
    assert budgets.list_warnings(FUNCTIONS, [*short, *[Thing("long", 36)] * 4]) == []
    (warning,) = budgets.list_warnings(FUNCTIONS, [*short, *[Thing("long", 36)] * 10])
    assert warning.startswith("functions: p95 36 > 35")
    (warning,) = budgets.list_warnings(FUNCTIONS, [Thing("middling", 11)] * 10)
    assert warning.startswith("functions: median 11 > 10")


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([1, 2, 3, 4], 0.5, 2), (list(range(1, 101)), 0.95, 95), ([7], 0.95, 7), ([], 0.5, 0)],
)
def test_quantile_of_a_known_list(values: list[int], share: float, expected: int) -> None:
    assert budgets.quantile(values, share) == expected
