"""Stripe's way of saying no."""

from typing import Any


class StripeError(Exception):
    """An answer in Stripe's error shape."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.fields = {"type": kind, "message": message, "code": code, "param": param}

    def body(self) -> dict[str, Any]:
        """Return the answer's body, without the fields that are not said."""
        return {"error": {k: v for k, v in self.fields.items() if v is not None}}


def missing(kind: str, id: str, *, param: str = "id", status: int = 404) -> StripeError:
    """Say that there is no such object; 404 for one named in the path, 400 for one in a parameter."""
    message = f"No such {kind}: '{id}'"
    return StripeError(message, status=status, code="resource_missing", param=param)
