"""supervised_recording: every change between two modes of supervision, with the conversation recorded.

No peer: app_queue knows no supervision. Whoever changes hears both voices, and so does the file (docs/decisions/0030).
"""

from benchmarks import walks
from benchmarks.figures import heading


async def run(*, full: bool) -> bool:
    """Print the table; whether all goals were reached."""
    times = 20 if full else 4
    async with walks.centre() as (serving, supervisors):
        rows = await walks.walk_all(serving, supervisors, times, recorded=True)
    heading("supervised_recording", f"each of the 12 changes {times} times, {walks.SIDE_BY_SIDE} conversations at once")
    return walks.show(rows, recorded=True)
