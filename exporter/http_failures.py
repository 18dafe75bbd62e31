"""How long a host may take, and why nothing came of asking it."""

import requests

__all__ = ["TIMEOUTS_S", "reason_of"]

#: Until there is a connection, and until the next bytes come.
TIMEOUTS_S = (5, 30)


def reason_of(error: requests.RequestException | OSError) -> str:
    """In a few words, for a line that says whom was asked."""
    if isinstance(error, requests.RequestException) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {TIMEOUTS_S[0]} s"
    if isinstance(error, requests.Timeout):
        return f"nothing came for {TIMEOUTS_S[1]} s"
    # requests wraps urllib3, which wraps the socket error that says what happened.
    cause: BaseException = error
    while cause.__context__ is not None:
        cause = cause.__context__
    return f"{cause or type(cause).__name__}"
