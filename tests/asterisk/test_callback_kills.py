"""The service kills itself at one place of an attempt; ``python -m benchmarks --full callback_kills`` strikes them all."""

from tests.support.serving import Serving
from tests.support.strikes import struck


async def test_a_dial_that_is_on_the_wire_is_not_repeated_and_its_customer_is_served(serving: Serving) -> None:
    made = await struck(serving, "outbox.written/DialCustomer")
    assert (made.died, made.promised, made.ended, made.problems) == (True, True, "reached", [])
    assert made.rings == 1
