"""How a command is stopped."""

import signal
import threading

__all__ = ["interrupt_on_sigterm"]


def interrupt_on_sigterm() -> None:
    """SIGTERM stops as Ctrl+C does: what is unfinished is taken away on the way out. Only the main
    thread can be told so."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
