"""What values may look like on their way to Asterisk: whole values match, or nothing is sent. ``ami.actions`` checks by these."""

import re

from ami import names

TITLE_LENGTH = 40

CHANNEL = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9_.+@:-]{1,120}-[0-9a-f]{8}(;[12])?")
DIAL_STRING = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9_.+@:/-]{1,120}")
NUMBER_VARIABLE = re.compile(re.escape(names.QUEUE_OF_NUMBER) + r"[0-9]{1,30}")
QUEUE_VARIABLE = re.compile(f"({names.MUSIC_OF_QUEUE}|{names.LANGUAGE_OF_QUEUE})" + r"[a-z0-9][a-z0-9_-]{0,39}")
PROMPT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Za-z0-9]{2,8})?")
NUMBER = re.compile(r"\+?[0-9]{3,15}")
QUEUE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
TITLE = re.compile(rf"[A-Za-z0-9 .\u00a1-\ud7ff\uf900-\uffef-]{{1,{TITLE_LENGTH}}}")  # as the dialplan lets through
SHOWN = re.compile(rf"[A-Za-z0-9 .:\u00a1-\ud7ff\uf900-\uffef-]{{0,{2 * TITLE_LENGTH + 2}}}")
NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")
ASKED = re.compile(r"(agent|queue|number)-\+?[A-Za-z0-9_-]{1,64}")  # who is asked in a consult
SOUND = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}(/[a-z0-9][a-z0-9_-]{0,60}){0,3}")  # relative, and never upwards
FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+){0,3}")
FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # control characters, and what UTF-8 cannot say
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,40}")
