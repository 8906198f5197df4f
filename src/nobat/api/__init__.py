"""The REST interface: HTTP words stop here.

::

    service.py   what the interface works with        application.py  puts it together
    edge.py      before any route: size limit, security headers, who asks, the last safety net
    access.py    roles, and what a token may see: the one place where objects are checked
    problems.py  every error as application/problem+json      text.py  text and ids as they may come in
    paging.py    lists and cursors     health.py  /healthz /readyz /metrics     docs.py  /docs
    queues.py agents.py calls.py  routes, with their models in *_models.py

No business rule lives here: a route turns a body into a command, and a view into a body.
"""
