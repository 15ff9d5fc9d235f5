"""Text as people who test forms send it; every field must survive each of these."""

TEXTS = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "'; DROP TABLE registration; --",
    "{{ 7 * 7 }} {% raw %} ${7*7} %(name)s {0.__class__}",
    '=HYPERLINK("http://example.org","x")',
    "a\x00b\x08c\x1bd",
    "first\r\nBcc: everyone@example.org\r\n\r\nbody",
    "\u202eevil\u2066\u200b",
    "e\u0301" * 40,
    "👩‍⚕️" * 40,
    " \t\n ",
    "x" * 30_000,
    "../../etc/passwd",
    "٣",
    "None",
    "-1",
    "99999999999999999999",
    "[[link:order]]",
)
