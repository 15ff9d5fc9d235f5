"""How texts and pages behave: translatable as a whole, quiet, and nothing inline that the CSP would refuse."""

import ast
import re
from collections.abc import Iterator

from jinja2 import Environment, nodes

from tests.house.laws.texts import GETTEXT
from tests.house.tree import Tree, dotted

_ENVIRONMENT = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"])
_ENVIRONMENT.policies["ext.i18n.trimmed"] = True
JINJA = re.compile(r"{[{%#].*?[}%#]}", re.DOTALL)
INLINE = re.compile(
    r"""<style\b | \sstyle\s*= | \son[a-z]+\s*=\s*["'] | <script(?![^>]*\ssrc=)[^>]*> | javascript:""",
    re.IGNORECASE | re.VERBOSE,
)


def list_inline_code(tree: Tree) -> list[str]:
    """List inline styles and scripts in pages; letters are another matter."""
    found = []
    for path in tree.templates:
        name = tree.template_name(path)
        if path.suffix != ".html" or "mail_" in name or name.endswith("/_mail.html"):
            continue
        html = JINJA.sub(lambda m: "\n" * m.group(0).count("\n"), path.read_text())
        for number, line in enumerate(html.splitlines(), start=1):
            if match := INLINE.search(line):
                found.append(
                    f"templates/{name}:{number} {match.group(0).strip()!r} is refused by the CSP"
                )
    return found


def list_patched_texts(tree: Tree) -> list[str]:
    """List texts that are put together before they are translated: nobody could translate those."""
    found = []
    for module in tree.modules:
        for node in module.walk(ast.Call):
            assert isinstance(node, ast.Call)
            if _is_gettext(node) and _is_put_together(node.args[0]):
                found.append(module.at(node, "gives gettext a text that was put together"))
    return found


def _is_gettext(node: ast.Call) -> bool:
    return bool(node.args) and dotted(node.func).split(".")[-1] in GETTEXT


def _is_put_together(text: ast.expr) -> bool:
    joined = isinstance(text, ast.Call) and dotted(text.func).split(".")[-1] in ("format", "join")
    return joined or isinstance(text, ast.JoinedStr | ast.BinOp)


def list_loud_texts(tree: Tree) -> list[str]:
    """List texts for people with an exclamation mark."""
    found = []
    for module in tree.modules:
        for node in module.walk(ast.Call):
            assert isinstance(node, ast.Call)
            if _is_gettext(node) and "!" in ast.unparse(node.args[0]):
                found.append(module.at(node, "raises its voice"))
    for path in tree.templates:
        name = f"templates/{tree.template_name(path)}"
        if path.suffix != ".css":
            found += [f"{name}:{line} raises its voice" for line in _loud_lines(path.read_text())]
    return found


def _loud_lines(source: str) -> Iterator[int]:
    template = _ENVIRONMENT.parse(source)
    for data in template.find_all(nodes.TemplateData):
        if re.search(r"\w!", data.data):
            yield data.lineno
    for const in template.find_all(nodes.Const):
        if isinstance(const.value, str) and re.search(r"\w!", const.value):
            yield const.lineno
