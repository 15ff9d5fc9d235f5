"""Bodies that are too large, broken, of another kind, or in another encoding."""

import json

from tests.hostile.conftest import Field

LIMIT = 2 * 1024 * 1024
BOUNDARY = "multipart/form-data; boundary=edge"
START = b"--edge\r\nContent-Disposition: form-data"
PART = START + b'; name="message"\r\n\r\n'

BODIES = {
    "no boundary": ("multipart/form-data", b"--edge\r\n\r\n--edge--"),
    "an empty boundary": ("multipart/form-data; boundary=", b"----"),
    "another boundary": ("multipart/form-data; boundary=other", PART + b"x\r\n--edge--"),
    "cut in the middle": (BOUNDARY, PART + b"Dear"),
    "cut in a header": (BOUNDARY, b"--edge\r\nContent-Disposit"),
    "a part without a name": (BOUNDARY, START + b"\r\n\r\nx\r\n--edge--"),
    "a part without a header": (BOUNDARY, b"--edge\r\n\r\nx\r\n--edge--"),
    "a header without end": (BOUNDARY, b"--edge\r\nX: " + b"x" * 100_000),
    "an unknown charset": (BOUNDARY, START + b"; name=a\r\nContent-Type: text/plain; charset=no\r\n\r\nx\r\n--edge--"),
    "a file": (BOUNDARY, START + b'; name="message"; filename="../../x\x00.php"\r\n\r\nx\r\n--edge--'),
    "2001 parts": (BOUNDARY, PART.join([b""] + [b"x\r\n"] * 2001) + b"--edge--"),
    "json": ("application/json", json.dumps({"message": "x"}).encode()),
    "broken json": ("application/json", b"{"),
    "xml": ("application/xml", b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>"),
    "another charset": ("application/x-www-form-urlencoded; charset=utf-16", "message=x".encode("utf-16")),
    "broken escapes": ("application/x-www-form-urlencoded", b"message=%&%zz=%u1234&=&&&message"),
    "raw bytes": ("application/x-www-form-urlencoded", bytes(range(256))),
    "no type": ("", b"message=x"),
    "a nonsense type": ("\x01/;;=;", b"message=x"),
    "100 000 fields": ("application/x-www-form-urlencoded", b"a=b&" * 100_000),
}  # fmt: skip


def test_a_broken_body_is_refused_and_changes_nothing(field: Field) -> None:
    edit = f"/organize/events/{field.world.event.id}/edit"
    statuses = {
        (what, path): field.intruders[role]
        .shoot("POST", path, what=what, data=body, content_type=kind)
        .status
        for what, (kind, body) in BODIES.items()
        for role, path in (("", "/contact"), ("", "/cart/people/2"), ("owner", edit))
    }
    assert {k: status for k, status in statuses.items() if status not in (400, 413, 415)} == {}
    assert field.problems == ""


def test_a_body_that_is_too_large_is_refused_in_one_sentence(field: Field) -> None:
    body = b"message=" + b"x" * LIMIT
    page = field.intruders[""].shoot(
        "POST",
        "/contact",
        what="large",
        data=body,
        content_type="application/x-www-form-urlencoded",
    )
    assert (page.status, page.title) == (413, "That is too large")
    huge = (
        START + b'; name="message"; filename="letter.txt"\r\n\r\n' + b"x" * LIMIT + b"\r\n--edge--"
    )
    page = field.intruders[""].shoot(
        "POST", "/contact", what="large file", data=huge, content_type=BOUNDARY
    )
    assert page.status == 413
    assert field.problems == ""


def test_a_method_that_an_address_has_not_is_refused_with_those_that_it_has(field: Field) -> None:
    page = field.intruders[""].shoot("DELETE", "/contact", what="method")
    assert (page.status, page.title) == (405, "This address cannot be used in that way")
    assert {"GET", "POST"} <= set(page.headers["Allow"].split(", "))
    assert field.problems == ""
