"""Templates mirror the rooms, each is used, and each name that is used exists."""

import ast
import re

from tests.house.tree import Module, Tree

ENDINGS = (".html", ".txt", ".xml", ".css", ".typ")
REFERENCE = re.compile(r"""['"]([\w./-]+\.(?:html|txt|xml|css|typ))['"]""")
# Letters are named without an ending: outbox.compose renders both.
LETTER = re.compile(r"^[a-z_]+/mail_[a-z_]+$")


def list_homeless(tree: Tree) -> list[str]:
    """List templates that are in no room's folder, and fragments or pages with odd names."""
    rooms = {*tree.floors, *tree.apart}
    found = []
    for path in tree.templates:
        name = tree.template_name(path)
        room, _, rest = name.partition("/")
        if not rest or room not in rooms:
            found.append(f"templates/{name}: there is no room {room!r}")
        elif not re.fullmatch(r"_?[a-z][a-z0-9_]*\.(html|txt|xml|css|typ)", rest.split("/")[-1]):
            found.append(f"templates/{name}: names are lower case, with one ending")
    return found


def _used(tree: Tree) -> dict[str, str]:
    """Return every template name that code or a template mentions, with a place where."""
    used = {}
    for module in tree.modules:
        for node in module.walk(ast.Constant):
            value = getattr(node, "value", None)
            if not isinstance(value, str):
                continue
            if value.endswith(ENDINGS) and re.fullmatch(r"[\w.-]+/[\w./-]+", value):
                used[value] = module.at(node, "names")
            elif value.endswith(ENDINGS) and module.room in tree.apart:
                used[f"{module.room}/{value}"] = module.at(node, "names")
            elif LETTER.match(value):
                used[f"{value}.html"] = used[f"{value}.txt"] = module.at(node, "names")
        used |= _computed(module, tree)
    for path in tree.templates:
        for match in REFERENCE.finditer(path.read_text()):
            used.setdefault(
                match.group(1).lstrip("/"), f"templates/{tree.template_name(path)} names"
            )
    return used


def _computed(module: Module, tree: Tree) -> dict[str, str]:
    """Return the templates of f"events/mail_{kind}": those whose kind is a text in the same file."""
    texts = {n.value for n in ast.walk(module.tree) if isinstance(n, ast.Constant)}
    found = {}
    for node in module.walk(ast.JoinedStr):
        assert isinstance(node, ast.JoinedStr)
        start = node.values[0]
        if isinstance(start, ast.Constant) and re.match(r"[a-z]+/\w*$", str(start.value)):
            for name in map(tree.template_name, tree.templates):
                rest = name.removeprefix(str(start.value)).split(".")[0]
                if name.startswith(str(start.value)) and rest in texts:
                    found[name] = module.at(node, "names")
    return found


def list_never_rendered(tree: Tree) -> list[str]:
    """List templates that neither code nor another template names."""
    used = _used(tree)
    names = [tree.template_name(p) for p in tree.templates]
    return [f"templates/{n}: nothing renders it" for n in names if n not in used]


def list_missing(tree: Tree) -> list[str]:
    """List names of templates that are not there, and letters that lack one of their two forms."""
    names = {tree.template_name(p) for p in tree.templates}
    rooms = {*tree.floors, *tree.apart}
    return [
        f"{where} {name}, which is not there"
        for name, where in sorted(_used(tree).items())
        if name not in names and name.split("/")[0] in rooms
    ]
