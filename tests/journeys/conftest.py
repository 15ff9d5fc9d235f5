"""What journeys have in common: the demo as `make run` starts it, real mail, and a browser in which all is well."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import RunningDemo
from tests.support.browser import WIDE, Watch, new_context
from tests.support.servers import Server
from tests.support.smtp import SmtpServer


@pytest.fixture(scope="module")
def mail() -> Iterator[SmtpServer]:
    """The mail server of one society."""
    with SmtpServer() as server:
        yield server


@pytest.fixture(scope="module")
def site(
    mail: SmtpServer, tmp_path_factory: pytest.TempPathFactory, running_demo: RunningDemo
) -> Iterator[Server]:
    """The demo, as `make run` starts it, with a real mail server behind it: one for the tests of a file."""
    folder = tmp_path_factory.mktemp("journey")
    with running_demo(folder, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(mail.port)) as server:
        yield server


@pytest.fixture
def page(browser: Browser, site: Server) -> Iterator[Page]:
    """A wide screen; nothing may go wrong in it, or come from elsewhere."""
    context = new_context(browser, size=WIDE)
    page = context.new_page()
    watch = Watch(page, origins=(site.url, site.sandbox_url))
    yield page
    context.close()
    assert watch.problems == []
