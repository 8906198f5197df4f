"""What no call needs, loaded when callers are being served: importing this is all there is to it.

Each of these is imported by its neighbour when there is something to do for it: a number to judge, a recording to seal, a letter to
write. That takes a tenth of a second and more, which a start does not have, and which calls would stand still for afterwards. So
``nobat.app`` loads them in a thread, once everything else is there.
"""

from callback import plans
from nobat.mail import post
from nobat.recording import cipher

__all__ = ["cipher", "plans", "post"]
