"""HTTP calls that hand a message over: what the failure of each means for the message."""

from typing import Any

import httpx

from comms.channels.channel import AccountProblem, Uncertain
from vocelio.outbound import OutboundRefused, OutboundTooLarge


def hand_over(client: httpx.Client, url: str, **options: Any) -> httpx.Response:
    """POST once. Raise AccountProblem while nothing has been sent, Uncertain once something may have been."""
    try:
        response = client.post(url, **options)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, OutboundRefused) as error:
        raise AccountProblem(f"The provider cannot be reached: {error}", code="UNREACHABLE") from error
    except (httpx.TransportError, OutboundTooLarge) as error:
        raise Uncertain(f"The provider's answer was lost: {type(error).__name__}", code="ANSWER_LOST") from error
    if response.status_code == 429:
        raise AccountProblem("The provider wants fewer messages.", code="RATE_LIMITED", retry_after=pause(response))
    if response.status_code >= 500:
        # It may have failed before or after the message was on its way.
        raise Uncertain(f"The provider failed ({response.status_code}).", code=f"HTTP_{response.status_code}")
    return response


def pause(response: httpx.Response) -> float:
    """Return how long the provider wants to be left alone."""
    after = response.headers.get("retry-after", "")
    return min(float(after), 3600.0) if after.isascii() and after.isdigit() else 60.0


def body_of(response: httpx.Response) -> Any:
    """Return the answer's JSON; an empty object for anything else."""
    try:
        return response.json()
    except ValueError:
        return {}
