"""Asking a server on this machine whether it is ready."""

import http.client


def answers(port: int, path: str) -> bool:
    """Whether `GET path` is answered 200 within a second; no proxy of the environment comes between."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
