"""What the documents promise is true."""

import re
from pathlib import Path

from regsys.kernel.db import Base
from regsys.kernel.states import describe

STATES_HEAD = """# State machines

Generated from the `MOVES` tables; a test keeps it true. To write it anew: `python -m tests.house.write_docs`.
`kernel.states.move()` is the only thing that changes a state, and refuses every move that is not here.
Where a registration stands, what has been paid, and whether the person was there are three facts and never one state.
"""
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)[^)]*\)|!\[[^\]]*\]\(([^)]+)\)")
COMMANDS = ("make run", "make test")


def states_page() -> str:
    """Write docs/states.md from the tables of every model that has one."""
    machines = {
        m.class_.__name__: m.class_.MOVES
        for m in Base.registry.mappers
        if hasattr(m.class_, "MOVES")
    }
    parts = [describe(name, machines[name]) for name in sorted(machines)]
    return "\n".join([STATES_HEAD, *parts])


def list_unreachable_states() -> list[str]:
    """List states to which no move leads and in which no row begins."""
    found = []
    for mapper in Base.registry.mappers:
        moves = getattr(mapper.class_, "MOVES", None)
        if moves is None:
            continue
        default = mapper.columns["state"].default
        begins = {default.arg} if default is not None and default.is_scalar else set()
        reached = begins.union(*moves.values())
        found += [
            f"{mapper.class_.__name__}: nothing leads to {s}" for s in moves if s not in reached
        ]
        found += [
            f"{mapper.class_.__name__}: {s} has no row in MOVES" for s in reached if s not in moves
        ]
    return sorted(found)


def list_broken_links(root: Path) -> list[str]:
    """List links in the project's Markdown that lead to no file."""
    found = []
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
    for page in sorted(pages):
        for match in LINK.finditer(page.read_text()):
            target = match.group(1) or match.group(2)
            if "://" in target or target.startswith("mailto:"):
                continue
            if not (page.parent / target).exists():
                found.append(f"{page.relative_to(root)}: {target} is not there")
    return found


def list_missing_commands(readme: str, makefile: str) -> list[str]:
    """List the two commands that the README must show and the Makefile must have."""
    shown = [line.strip() for line in readme.splitlines()]
    found = [
        f"README.md does not show `{c}` on a line of its own" for c in COMMANDS if c not in shown
    ]
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    named = set(re.findall(r"`make ([a-z-]+)", readme)) | {c.split()[1] for c in COMMANDS}
    return found + [f"the Makefile has no target {t}" for t in sorted(named - set(targets))]


def list_machine_paths(root: Path, files: list[str]) -> list[str]:
    """List files that name a folder of the machine on which they were written."""
    pattern = re.compile(r"(?<![\w./-])/(?:home|work|root|Users)/[\w.-]+")
    return [
        f"{name}: {match.group(0)}"
        for name in files
        if name.endswith((".py", ".md", ".html", ".toml", ".css", ".js", ".txt", ".in", ".lock"))
        for match in pattern.finditer((root / name).read_text(errors="replace"))
    ]


FAILURES = range(1, 41)


def list_unshown_failures(table: str, tests: dict[str, str]) -> list[str]:
    """List the failures of money that docs/payments.md leads to no test of; `tests` maps a file's name to its text."""
    named: dict[int, set[str]] = {n: set() for n in FAILURES}
    for numbers, files in re.findall(r"^\| ([\d, –]+) \|[^|]*\|([^|]*)\|$", table, re.MULTILINE):
        for part in numbers.split(", "):
            first, *last = (int(n) for n in part.split("–"))
            for n in range(first, (last or [first])[0] + 1):
                named[n] |= set(re.findall(r"test_\w+", files))
    return [
        f"rule {n}"
        for n, files in named.items()
        if not any(f"def test_rule_{n:02}_" in tests.get(name, "") for name in files)
    ]
