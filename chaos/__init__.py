"""``make chaos``: a call centre on real Asterisk, random callers and agents, a random fault every ten seconds, and a judge.

``plan`` draws everything from a seed, ``centre`` starts what there is, ``crowd`` makes people call and agents come and go,
``faults`` says what can go wrong and does it, ``watch`` looks meanwhile, ``judge`` says at the end what must not have been.
"""
