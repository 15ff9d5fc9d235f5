"""Only kernel.states.move() changes a state."""

import ast
import re

from tests.house.tree import Module, Tree, dotted

HOME = "regsys/kernel/states.py"
RAW_SQL = re.compile(r"\bupdate\b.+\bset\b((?!\bwhere\b).)*\bstate\s*=", re.IGNORECASE | re.DOTALL)

# A conditional UPDATE that claims a row for one of many workers cannot load it first. Each one names its reason
# in a comment on the line, which must begin with this.
EXCUSE = "# state by UPDATE:"


def list_state_assignments(tree: Tree) -> list[str]:
    """List assignments to `.state`, setattr(…, "state", …), UPDATEs of it, in whatever spelling."""
    found = []
    for module in tree.modules:
        if module.shown == HOME or module.room in tree.apart:
            continue
        found += [
            module.at(node, "changes a state: only kernel.states.move() may")
            for node in _changes(module)
            if EXCUSE not in _around(module, node)
        ]
    return found


def _around(module: Module, node: ast.AST) -> str:
    first = max(getattr(node, "lineno", 1) - 4, 0)
    return "\n".join(module.lines[first : getattr(node, "end_lineno", first + 1)])


def _changes(module: Module) -> list[ast.AST]:
    dicts = _dicts_with_a_state(module)
    changes: list[ast.AST] = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            changes += [
                t for t in _targets(node) if isinstance(t, ast.Attribute) and t.attr == "state"
            ]
        if isinstance(node, ast.Call) and (_is_setattr(node) or _is_update(node, dicts)):
            changes.append(node)
        if isinstance(node, ast.Constant) and RAW_SQL.search(str(node.value)):
            changes.append(node)
    return changes


def _targets(node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> list[ast.expr]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    flat = [t.elts if isinstance(t, ast.Tuple | ast.List) else [t] for t in targets]
    return [t for some in flat for t in some]


def _is_setattr(node: ast.Call) -> bool:
    named = dotted(node.func) in ("setattr", "object.__setattr__") and len(node.args) > 1
    return named and isinstance(node.args[1], ast.Constant) and node.args[1].value == "state"


def _is_update(node: ast.Call, dicts: set[str]) -> bool:
    """Tell whether this is `….values(state=…)` on no INSERT, `….values(**those)`, or `query.update({…})`."""
    if not isinstance(node.func, ast.Attribute):
        return False
    inserting = "insert" in dotted(node.func).split(".")
    updating = (node.func.attr == "values" and not inserting) or node.func.attr == "update"
    return updating and ("state" in _names(node) or bool(dicts & _spread(node)))


def _names(node: ast.Call) -> set[str]:
    given = {k.arg for k in node.keywords if k.arg}
    return given.union(*(_keys(a) for a in node.args if isinstance(a, ast.Dict)))


def _keys(node: ast.Dict) -> set[str]:
    constants = {str(k.value) for k in node.keys if isinstance(k, ast.Constant)}
    return constants | {k.attr for k in node.keys if isinstance(k, ast.Attribute)}


def _spread(node: ast.Call) -> set[str]:
    """Return the names of what is given as `**name` or as the only argument."""
    starred = [k.value for k in node.keywords if k.arg is None]
    return {v.id for v in [*starred, *node.args] if isinstance(v, ast.Name)}


def _dicts_with_a_state(module: Module) -> set[str]:
    """Return the names to which a dict with the key "state" is given somewhere in the file."""
    found = set()
    for node in module.walk(ast.Assign, ast.AnnAssign):
        assert isinstance(node, ast.Assign | ast.AnnAssign)
        if isinstance(node.value, ast.Dict) and "state" in _keys(node.value):
            found |= {t.id for t in _targets(node) if isinstance(t, ast.Name)}
    return found
