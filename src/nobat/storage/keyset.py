"""Where a page begins: after a (moment, id) in the order newest first."""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from nobat.storage.database import when


def behind(moment: Any, identity: Any, last: tuple[float, str]) -> ColumnElement[bool]:
    """Rows that come after ``last``. The bound stands alone, so that an index of ``moment`` begins there at any depth: of an OR
    alone a database reads, and throws away, every page before.
    """
    at = when(last[0])
    return and_(moment <= at, or_(moment < at, identity < last[1]))
