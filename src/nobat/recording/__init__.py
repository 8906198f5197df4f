"""Recordings after the conversation: the two halves become one stereo file, which is encrypted and kept for as long as it may be.

``stereo`` joins the halves, ``vault`` keeps what came of it, ``spans`` says what of it must be silent, ``keeper`` does it all in
order. What happens while people talk is ``acd.taping``.
"""
