"""Everything that is kept: queues, agents, tokens, agents' chosen status, history. The only package that knows SQL.

::

    schema.py     the tables            database.py   connections, transactions, what counts as "database away"
    migrate.py    Alembic, run from the program itself       nodelock.py  one service for each SQLite database
    catalogue.py  queues and agents     tokens.py     API tokens        startup.py   what a starting service takes up again
    recorder.py   history behind the calls, promises before them        history.py   ended calls, read back
    rows.py       events and calls as rows

The same code runs on SQLite and PostgreSQL. Times are stored as UTC and read as aware datetimes; the domain's seconds since
the epoch are converted here and nowhere else.
"""
