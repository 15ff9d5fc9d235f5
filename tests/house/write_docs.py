"""Write the generated documents: `python -m tests.house.write_docs`."""

import tempfile
from pathlib import Path

from regsys.app import create_app
from regsys.kernel.settings import Settings
from tests.house.laws.docs import states_page
from tests.support.needs import ROOT


def main() -> None:
    """Build the app, so that every room's models are known, and write what follows from them."""
    with tempfile.TemporaryDirectory() as folder:
        create_app(Settings.for_tests(Path(folder)))
    (ROOT / "docs" / "states.md").write_text(states_page())
    print("docs/states.md is written.")


if __name__ == "__main__":
    main()
