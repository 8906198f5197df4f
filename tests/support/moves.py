"""For tests of calls that change hands: somebody outside, and talks long enough to prove who hears whom."""

from tests.support.phonebank import Customer
from tests.support.serving import Serving
from tests.support.team import AUDIBLY
from tests.support.until import until

OUTSIDE, OUTSIDE_TONE = "09127770000", 3400


async def given_outside(serving: Serving, **behaviour: object) -> None:
    """Somebody outside, whom the trunk leads to."""
    await serving.bank.given_phone(OUTSIDE, tone=OUTSIDE_TONE, record=True, talk=0, **behaviour)  # type: ignore[arg-type]


async def for_a_while(serving: Serving, customer: Customer) -> None:
    """Wait until the talk that goes on has lasted for as long as it takes to prove who hears whom."""

    async def is_so() -> bool:
        return float((await serving.call_of(customer))["talks"][-1]["talk_s"]) > AUDIBLY

    await until(is_so, f"{customer.customer} has talked for a while")
