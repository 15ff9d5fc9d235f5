"""The `regsys` command. It imports little, so that the supervisor stays small: rooms are asked when needed."""

import importlib.util
import os
import socket
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from regsys import launch
from regsys.rooms import FLOORS
from regsys.supervisor import Child, Supervisor

HERE = "127.0.0.1"


# ---- the group: its own commands, then those of the rooms


class Rooms(click.Group):
    """Finds a command here first; only then the rooms are imported."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return super().get_command(ctx, name) or _rooms_commands().get(name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_rooms_commands()})


def _rooms_commands() -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for room in FLOORS:
        if importlib.util.find_spec(f"regsys.{room}.cli"):
            module = import_module(f"regsys.{room}.cli")
            found.update({c.name or "": _inside_app(c) for c in getattr(module, "commands", [])})
    return found


def _inside_app(command: click.Command) -> click.Command:
    """Let a command and what is below it run in an app context; `--help` needs none."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _inside_app(below)
    elif command.callback is not None and not hasattr(command.callback, "in_app"):
        command.callback = _in_app(command.callback)
    return command


def _in_app(callback: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:
        with _app().app_context():
            return callback(*args, **kwargs)

    run.in_app = True  # type: ignore[attr-defined]
    return run


def _settings() -> Any:
    from regsys.kernel.settings import Settings  # slow import

    return Settings.load(launch.environment())


def _app() -> Any:
    from regsys.app import create_app  # slow import

    return create_app(_settings())


def _version() -> str:
    """Return the installed version; a checkout says it in pyproject.toml."""
    import tomllib  # slow import
    from importlib import metadata  # slow import

    try:
        return metadata.version("regsys")
    except metadata.PackageNotFoundError:
        project = Path(__file__).parent.parent / "pyproject.toml"
        return f"{tomllib.loads(project.read_text())['project']['version']} (checkout)"


def _show_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(f"regsys {_version()}")
        ctx.exit()


@click.group(cls=Rooms, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def regsys() -> None:
    """Event registration and leadership-training signup for a small society."""


# ---- servers

_data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Data folder; else REGSYS_DATA_DIR, else ./data.",
)
_port_option = click.option(
    "--port", type=click.IntRange(1, 65534), default=5000, show_default=True
)
_host_option = click.option("--host", default=HERE, show_default=True, help="Address to listen on.")


@regsys.command()
@_port_option
@_host_option
@_data_option
def run(port: int, host: str, data: Path | None) -> None:
    """Start the demo: web server, worker, and a stand-in for Stripe on the next port.

    Example: regsys run --port 5055 --data /tmp/demo
    """
    folder = _folder(data)
    another = f"Take another one: make run PORT={port + 10}"
    listening = launch.listen(host, port, advice=another)
    launch.listen(HERE, port + 1, advice=f"The stand-in for Stripe needs it. {another}").close()
    env = launch.demo_environment(folder, port)
    launch.in_child(launch.prepare_demo, env)
    children = [_web(listening, env), _sandbox(folder, port, env)]
    address = (host, port)
    sys.exit(Supervisor(children, _asks(address), lambda: _welcome(folder, port)).run())


@regsys.command()
@_port_option
@_host_option
@_data_option
@click.option("--bind", metavar="HOST:PORT", help="The same as --host and --port in one.")
def serve(port: int, host: str, data: Path | None, bind: str | None) -> None:
    """Start the web server and a worker with the settings of REGSYS_CONFIG and the environment.

    Example: regsys serve --host 127.0.0.1 --port 5000 --data /var/lib/regsys
    """
    if bind:
        host, _, number = bind.rpartition(":")
        host, port = host.strip("[]") or HERE, int(number) if number.isdigit() else port
    env = launch.service_environment(data)
    listening = launch.listen(host, port, advice="Stop what uses it, or name another: --port")
    launch.in_child(launch.prepare_service, env)
    children = [_web(listening, env)]
    sys.exit(Supervisor(children, _asks((host, port)), lambda: _say_ready(host, port)).run())


def _folder(data: Path | None) -> Path:
    return (data or Path(os.environ.get("REGSYS_DATA_DIR", "data"))).absolute()


def _asks(address: tuple[str, int]) -> Callable[[], bool]:
    return lambda: launch.is_ready(address)


def _web(listening: socket.socket, env: Mapping[str, str]) -> Child:
    fd = listening.fileno()
    command = [sys.executable, "-m", "gunicorn", "-c", "python:regsys.webserver"]
    command += ["-b", f"fd://{fd}", "regsys.webserver:make()"]
    return Child("web server", command, _frugal(env), pass_fds=[fd])


def _frugal(env: Mapping[str, str]) -> dict[str, str]:
    """Let the C library keep two heaps at most, not one for each thread, and give back what is free: some megabytes
    less in each process.
    """
    heap = {
        "MALLOC_ARENA_MAX": "2",
        "MALLOC_TRIM_THRESHOLD_": "65536",
        "MALLOC_MMAP_THRESHOLD_": "65536",
    }
    return {**heap, **env}


def _sandbox(folder: Path, port: int, env: Mapping[str, str]) -> Child:
    command = [sys.executable, "-m", "regsys.sandbox", "--data", str(folder)]
    command += ["--port", str(port + 1), "--webhook-url", f"http://{HERE}:{port}/webhooks/stripe"]
    return Child("sandbox", command, env)


def _say_ready(host: str, port: int) -> None:
    click.echo(f"regsys serves {host}:{port}. Stop it with Ctrl-C.")


def _welcome(folder: Path, port: int) -> None:
    site = f"http://{HERE}:{port}"
    click.echo(f"\n  The demo is ready:  {site}\n")
    click.echo(f"  Read all its mail:  {site}/outbox")
    click.echo(f"  Play-money Stripe:  http://{HERE}:{port + 1}  (test card 4242 4242 4242 4242)\n")
    click.echo(f"  Sign in at {site}/signin as")
    for one in launch.sign_ins(folder):
        how = one["password"] or "by a mailed link, read it at /outbox"
        click.echo(f"    {one['who']:<42} {one['email']:<38} {how}")
    click.echo("\n  Ctrl-C stops it; nothing is lost.\n")
    sys.stdout.flush()


# ---- work and upkeep


@regsys.command()
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
def worker(once: bool) -> None:
    """Run due jobs: letters, payments to ask about, periodic work. Any number may run at once.

    Example: regsys worker --once
    """
    from regsys import worker as module  # slow import

    settings = _settings()
    module.start(settings, once=once)


@regsys.command()
def upgrade() -> None:
    """Bring the database to the newest schema, under a lock, with a backup first on SQLite.

    Example: regsys upgrade
    """
    from regsys.kernel import migrate, revisions  # slow import

    settings = _settings()
    before = revisions.stored(settings)
    migrate.upgrade(settings)
    after = revisions.stored(settings)
    click.echo(
        f"The database is up to date already ({after})."
        if before == after
        else f"The database went from {before or 'nothing'} to {after}."
    )


@regsys.command()
def check() -> None:
    """Say in plain words what is well and what needs a hand; exit code 1 if anything does.

    Example: regsys check
    """
    from regsys import checkup  # slow import

    findings = checkup.examine(_settings())
    for fine, what, advice in findings:
        click.echo(f"{'ok   ' if fine else 'LOOK '} {what}")
        if advice and not fine:
            click.echo(f"      → {advice}")
    sys.exit(0 if all(fine for fine, _, _ in findings) else 1)


@regsys.command()
def verify() -> None:
    """Count places, money and mail again from the rows; print the proof, or what differs and what to do (exit code 1).

    Example: regsys verify
    """
    from regsys import verify as module  # slow import
    from regsys.kernel import clock  # slow import

    differences = 0
    with _app().app_context():
        for said in module.examine(now=clock.now()):
            if isinstance(said, module.Step):
                _progress(f"{said.number} of {said.of}: {said.title}")
                continue
            _progress("")
            click.echo(f"{'ok   ' if said.fine else 'WRONG'} {said.sentence}")
            if not said.fine:
                differences += 1
                click.echo(f"      → {said.advice}")
    _progress("")
    click.echo(f"Differences: {differences}." if differences else "Everything agrees.")
    sys.exit(1 if differences else 0)


def _progress(words: str) -> None:
    """Show somebody at a terminal what is under way, in one line that is written over."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{words}", nl=False, err=True)


@regsys.command()
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; else one named by the time in DATA/backups.",
)
def backup(to: Path | None) -> None:
    """Copy the SQLite database while it is in use. The copy holds no keys: keep FIELD_KEYS elsewhere.

    Example: regsys backup --to /mnt/usb/regsys.sqlite
    """
    from regsys import upkeep  # slow import

    copy, size = upkeep.backup(_settings(), to)
    click.echo(f"Copied to {copy} ({size / 1_000_000:.1f} MB). Keep FIELD_KEYS elsewhere.")


@regsys.command("new-key")
def new_key() -> None:
    """Print a fresh key for FIELD_KEYS; put it first, and keep the old ones behind it.

    Example: regsys new-key
    """
    from regsys.kernel import crypt  # slow import

    click.echo(crypt.new_key())


def main() -> None:
    """Run a command; what goes wrong is one sentence, never a traceback."""
    try:
        regsys.main(prog_name="regsys", standalone_mode=False)
    except click.exceptions.Abort:
        _end("stopped.", 130)
    except click.exceptions.Exit as e:
        sys.exit(e.exit_code)
    except click.ClickException as e:
        e.show()
        sys.exit(e.exit_code)
    except Exception as e:
        if os.environ.get("REGSYS_LOG_LEVEL") == "DEBUG":
            raise
        _end(launch.sentence(e), 2 if type(e).__name__ in ("BadSetting", "CannotStart") else 1)


def _end(sentence: str, code: int) -> None:
    click.echo(f"regsys: {sentence}", err=True)
    sys.exit(code)
