"""The spoken prompts: their texts (``en.toml``, ``fa.toml``), and the sounds made of them where a site has no recording.

``texts`` reads what is said, ``sound`` measures and sets levels, ``synthesis`` lets espeak-ng and sox speak one prompt,
``build`` fills a folder for Asterisk and never touches a recording that it did not make.
Called by ``nobat prompts``, by ``nobat.reference`` and by the lab. Standard library only, beside those two programs.
"""
