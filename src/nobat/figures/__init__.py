"""History in figures: intervals of 15 minutes worked out from it, reports made of them, and the forms in which people read those.

``stays`` and ``spans`` are arithmetic of time, ``report`` is what every figure means, ``sheets`` writes CSV and XLSX, ``keeper``
works the intervals out again and again while the service runs. SQL lives in ``nobat.storage.figures``.
"""
