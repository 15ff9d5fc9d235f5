"""Alembic's environment: batch mode for SQLite, foreign keys off while tables are rebuilt, checked afterwards."""

from alembic import context
from sqlalchemy import Connection

config = context.config
target_metadata = config.attributes.get("metadata")


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        render_as_batch=True,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run() -> None:
    """Run the migrations on the engine that `kernel.migrate` hands over."""
    with config.attributes["engine"].connect() as connection:
        if connection.dialect.name != "sqlite":
            return _run(connection)
        # With foreign keys on, a batch rebuild silently deletes cascaded children. A PRAGMA is a no-op inside a
        # transaction, so it goes to the driver before the first BEGIN.
        driver = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        _run(connection)
        broken = driver.execute("PRAGMA foreign_key_check").fetchall()
        driver.execute("PRAGMA foreign_keys=ON")
        if broken:
            raise RuntimeError(f"the migration left rows that point to nothing: {broken[:5]}")


run()
