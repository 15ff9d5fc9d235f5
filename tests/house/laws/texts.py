"""Every text for people goes through gettext."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from jinja2 import Environment, nodes

from tests.house.tree import Tree, dotted

HOLE = "\ufffc"  # stands where a template computes something
WORDS = re.compile(r"[^\W\d_]{2,}")
ATTRIBUTES = ("title", "alt", "placeholder", "aria-label", "aria-description", "content", "value")
# Texts that are the same in every language, or that no person reads.
SAME_EVERYWHERE = {"regsys", "utf-8", "iCal"}
GETTEXT = {
    "_", "_l", "N_", "gettext", "ngettext", "lazy_gettext", "lazy_ngettext", "pgettext", "_n",
}  # fmt: skip

_ENVIRONMENT = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
_ENVIRONMENT.policies["ext.i18n.trimmed"] = True


# ---- templates


def list_untranslated_templates(tree: Tree) -> list[str]:
    """List visible words and attributes of templates that stand outside of `trans` and `_()`."""
    found = []
    for path in tree.templates:
        shown = f"templates/{tree.template_name(path)}"
        if tree.template_name(path).split("/")[0] in tree.apart:
            continue
        if path.suffix in (".css", ".typ"):  # what is set as a PDF gets every word with its data
            continue
        source = path.read_text()
        if path.suffix == ".txt":
            found += [f"{shown}:{n} {t!r}" for n, t in _raw_lines(source) if _says_something(t)]
        else:
            found += [f"{shown}:{line} {text!r}" for line, text in _visible(source)]
        found += [f"{shown}:{line} {text!r}" for line, text in _literals(source)]
    return found


def _says_something(text: str) -> bool:
    text = re.sub(r"&\w+;", " ", text)
    words = WORDS.findall(text)
    return bool(words) and text.strip() not in SAME_EVERYWHERE


def _pieces(node: nodes.Node) -> Iterator[tuple[int, str]]:
    """Yield (line, raw text) in order, with a hole for what is computed; trans blocks are computed too."""
    if isinstance(node, nodes.TemplateData):
        yield node.lineno, node.data
    elif isinstance(node, nodes.Expr) or _is_class_name(node):
        yield node.lineno, HOLE
    else:
        for child in node.iter_child_nodes(exclude=("test", "iter", "target", "args", "defaults")):
            yield from _pieces(child)


def _is_class_name(node: nodes.Node) -> bool:
    """Tell whether this block fills a class attribute of its base, as `body_class` does."""
    return isinstance(node, nodes.Block) and node.name.endswith("_class")


def _raw_lines(source: str) -> Iterator[tuple[int, str]]:
    for line, text in _pieces(_ENVIRONMENT.parse(source)):
        for offset, part in enumerate(text.split("\n")):
            yield line + offset, part


def _visible(source: str) -> list[tuple[int, str]]:
    reader = _Reader()
    for line, text in _pieces(_ENVIRONMENT.parse(source)):
        reader.base = line - reader.getpos()[0]
        reader.feed(text)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    """Collects text nodes and attributes that a person sees or hears."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, str]] = []
        self.base = 0
        self._silent = 0

    def _note(self, text: str) -> None:
        if _says_something(text):
            self.found.append((self.base + self.getpos()[0], text.strip()[:80]))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style", "code", "svg")
        given = dict(attrs)
        for name in ATTRIBUTES:
            heard = name not in ("content", "value") or _is_heard(tag, name, given)
            if heard and (value := given.get(name)):
                self._note(value.replace(HOLE, " "))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "code", "svg")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._note(data.replace(HOLE, " "))


def _is_heard(tag: str, name: str, given: dict[str, str | None]) -> bool:
    if name == "content":
        return tag == "meta" and given.get("name") == "description"
    return tag == "input" and given.get("type") in ("submit", "button", "reset")


# Arguments of macros that hold words.
SPOKEN = ("help", "label", "may", "words", "title", "back_label", "kind", "summary", "caption")


def _literals(source: str) -> Iterator[tuple[int, str]]:
    """Yield string literals that macros and filters show: sentences, and arguments named in SPOKEN."""
    template = _ENVIRONMENT.parse(source)
    translated = {
        id(inner)
        for call in template.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in GETTEXT
        for inner in call.find_all(nodes.Const)
    }
    for call in template.find_all(nodes.Call):
        for k in [] if _makes_an_address(call) else call.kwargs:
            if (
                k.key in SPOKEN
                and _is_raw(k.value, translated)
                and _says_something(str(k.value.value))
            ):
                yield k.lineno, str(k.value.value)
    for const in template.find_all(nodes.Const):
        if _is_raw(const, translated) and re.match(r"[A-Z]\S* \S", str(const.value)):
            yield const.lineno, str(const.value)


def _makes_an_address(call: nodes.Call) -> bool:
    return isinstance(call.node, nodes.Name) and call.node.name in ("url_for", "here", "asset")


def _is_raw(node: nodes.Node, translated: set[int]) -> bool:
    return (
        isinstance(node, nodes.Const) and isinstance(node.value, str) and id(node) not in translated
    )


# ---- Python

# Keyword arguments that people read, and calls whose first argument people read.
CONTENT = {"regsys/questions/library.py": "becomes the stored words of an event, as if typed there"}
READ = ("label", "description", "message", "title", "sentence", "subject", "help_text")


def list_untranslated_code(tree: Tree) -> list[str]:
    """List literal texts for people in forms, flashes and drafts of letters; commands speak English."""
    found = []
    for module in tree.modules:
        if module.room in (None, "kernel", *tree.apart) or module.file == "cli":
            continue
        if module.shown in CONTENT:
            continue
        for node in module.walk(ast.Call):
            assert isinstance(node, ast.Call)
            for text in _read_by_people(node):
                found.append(module.at(text, f"{ast.unparse(text)[:80]} is not translated"))
    return found


def _read_by_people(call: ast.Call) -> Iterator[ast.expr]:
    name = dotted(call.func).split(".")[-1]
    if name in GETTEXT or name.endswith("Error"):
        return
    if (name == "flash" or name.endswith("Field")) and call.args and _is_text(call.args[0]):
        yield call.args[0]
    for keyword in call.keywords:
        if keyword.arg in READ and _is_text(keyword.value):
            yield keyword.value


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(v, ast.Constant) and WORDS.search(str(v.value)) for v in node.values)
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and bool(WORDS.search(node.value))
    )


def list_untranslated_refusals(tree: Tree) -> list[str]:
    """List refusals whose sentence is not marked with N_()."""
    found = []
    for module in tree.modules:
        for node in module.walk(ast.Call):
            if isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] == "Refusal":
                sentence = _second(node)
                if sentence is not None and _is_text(sentence):
                    found.append(module.at(node, "a refusal's sentence is marked with N_()"))
    return found


def _second(call: ast.Call) -> ast.expr | None:
    named = [k.value for k in call.keywords if k.arg == "sentence"]
    return named[0] if named else call.args[1] if len(call.args) > 1 else None
