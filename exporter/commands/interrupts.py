"""How a long command is stopped."""

import signal

__all__ = ["interrupt_on_sigterm"]


def interrupt_on_sigterm() -> None:
    """SIGTERM stops as Ctrl+C does: what is unfinished is taken away on the way out."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
