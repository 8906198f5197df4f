"""Saying things by recorded prompts: from what is meant to the names of the prompts that say it, in order.

``prompts`` names every prompt, ``english`` and ``persian`` know the grammar in which the two differ, ``sayings`` is the
door: ``say(Position(3), "fa")``. Nothing here knows a file or a PBX; ``nobat.prompts`` has the texts and makes the sounds.
"""
