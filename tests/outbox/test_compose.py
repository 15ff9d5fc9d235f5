"""What a letter is before it is stored."""

from typing import Any

from regsys.outbox.compose import compose, fill, mask

SECRET = "https://circle.example.org/signin/link?token=s3cret"


def letter(**more: Any) -> Any:
    return compose(
        "accounts/mail_sign_in",
        key="k",
        kind="accounts.sign_in",
        to=("Marigold Fenwick", "marigold@example.org"),
        subject="Sign in",
        links={"sign_in": SECRET},
        context={"first_name": "<b>Marigold</b>"},
        **more,
    )


def test_secret_links_are_left_out_of_what_is_stored(db: Any) -> None:
    made = letter()
    assert SECRET not in made.html + made.text
    assert fill(made.text, made.links).count(SECRET) == 1
    assert mask(made.text).count("[…]") == 1


def test_what_people_typed_is_escaped_in_html_and_plain_in_text(db: Any) -> None:
    made = letter()
    assert "&lt;b&gt;Marigold&lt;/b&gt;" in made.html
    assert "<b>" not in made.html
    assert "Dear <b>Marigold</b>," in made.text


def test_lines_of_text_are_at_most_72_wide_but_for_links(db: Any) -> None:
    lines = letter().text.splitlines()
    assert [line for line in lines if len(line) > 72] == []
    assert "    [[link:sign_in]]" in lines


def test_style_stands_on_the_elements_and_dark_colours_in_the_head(db: Any) -> None:
    html = letter().html
    head, body = html.split("</head>")
    assert "prefers-color-scheme: dark" in head
    assert "@media" not in body
    assert 'class="h1 ink" style="' in body
