"""`python -m regsys`."""

from regsys.cli import main

main()
