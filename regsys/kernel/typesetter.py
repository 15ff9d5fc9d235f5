"""The process that sets one document: a job as JSON comes in, a PDF goes out. It knows nothing else of the house."""

import json
import sys
from pathlib import Path

import typst


def main() -> None:
    """Set the document that standard input asks for."""
    job = json.load(sys.stdin.buffer)
    pdf = typst.compile(
        Path(job["root"]) / job["template"],
        root=job["root"],
        font_paths=[job["fonts"]],
        ignore_system_fonts=True,
        sys_inputs={"data": job["data"]},
        format="pdf",
    )
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
