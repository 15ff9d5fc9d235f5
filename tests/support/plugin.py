"""Options, the choice of databases, and loud skips."""

import gc
from collections.abc import Generator
from typing import Any

import pytest

from tests.support import needs

DATABASES = {"sqlite": ["sqlite"], "postgresql": ["postgresql"], "both": ["sqlite", "postgresql"]}

# A worker takes whole files, in this order, and then the others; the longest first, so that no worker waits at the end.
SLOW = (
    "looks/test_looks.py",
    "faults/test_kill.py",
    "races/test_last_places.py",
    "faults/test_supervisor.py",
    "hostile/test_addresses.py",
    "journeys/test_main_job.py",
    "hostile/test_forms.py",
    "faults/test_event_cancelled.py",
    "journeys/test_applicant.py",
    "journeys/test_treasurer.py",
    "payments/test_storm.py",
    "waitlist/test_storm.py",
    "payments/test_webhook.py",
    "registration/test_journey.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("regsys")
    group.addoption("--database", choices=sorted(DATABASES), default="sqlite",
                    help="run what uses a database on this one (default: sqlite)")  # fmt: skip
    group.addoption("--long", action="store_true", help="also run what is marked long")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that uses a database once for every chosen one."""
    if "database" not in metafunc.fixturenames:
        return
    if any(m.args[0] == "database" for m in metafunc.definition.iter_markers("parametrize")):
        return  # the test names its databases itself
    chosen = DATABASES[metafunc.config.getoption("--database")]
    if metafunc.definition.get_closest_marker("once"):
        chosen = ["sqlite"]
    metafunc.parametrize("database", chosen, indirect=True, scope="function")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long tests unless asked for, and begin with the slow files."""
    places = {name: place for place, name in enumerate(SLOW)}
    items.sort(key=lambda i: places.get("/".join(i.path.parts[-2:]), len(SLOW)))
    if not config.getoption("--long"):
        left_out = {item for item in items if item.get_closest_marker("long")}
        if config.getoption("--database") == "both":
            left_out |= _those_of_the_other_database(items)
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def _those_of_the_other_database(items: list[pytest.Item]) -> set[pytest.Item]:
    """Find what is not tried of tests marked `in_turn`: their first case on SQLite, their second on PostgreSQL …"""
    tests: dict[str, dict[str, dict[str, pytest.Item]]] = {}
    for item in items:
        if item.get_closest_marker("in_turn"):
            database = item.callspec.params["database"]  # type: ignore[attr-defined]
            case = item.nodeid.replace(database, "", 1)
            cases = tests.setdefault(item.nodeid.partition("[")[0], {})
            cases.setdefault(case, {})[database] = item
    numbered = [one for cases in tests.values() for one in enumerate(cases.values())]
    return {on[DATABASES["both"][turn % 2]] for turn, on in numbered if len(on) == 2}


def pytest_collection_finish() -> None:
    """Keep the collector off what stays: each test makes an app, and a search of all objects takes 0.3 s."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 10)


def _reason(report: Any) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)


def _fail_if_required(report: Any) -> None:
    """Turn a skip into a failure where everything is required."""
    if report.skipped and not hasattr(report, "wasxfail") and needs.everything_required():
        reason = _reason(report)
        if not needs.may_be_skipped(reason):
            report.outcome = "failed"
            report.longrepr = f"a skip is a failure where REGSYS_REQUIRE_ALL=1: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    report = yield
    _fail_if_required(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    report = yield
    _fail_if_required(report)
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say at the end what warns of a budget, and, once for each reason, what was skipped."""
    passed = terminalreporter.stats.get("passed", [])
    warnings = [v for r in passed for k, v in r.user_properties if k == "warns"]
    if warnings:
        terminalreporter.section("NEAR A BUDGET", sep="-", yellow=True)
        for line in warnings:
            terminalreporter.line(line, yellow=True)
    skipped: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = _reason(report).removeprefix("Skipped: ")
        skipped[reason] = skipped.get(reason, 0) + 1
    if skipped:
        terminalreporter.section("NOT TESTED", sep="!", red=True, bold=True)
        for reason, count in sorted(skipped.items()):
            tests = "1 test" if count == 1 else f"{count} tests"
            terminalreporter.line(f"{tests} skipped: {reason}", red=True)
