"""Names shared with ``dialplan/``: contexts, channel variables, global variables and UserEvents.

The dialplan and this package are two halves of one program, and these names are the seam. A test reads the shipped
dialplan and this module against each other; ``dialplan/README.md`` tells the contract of each context.
"""

# Contexts into which a site or the service moves a channel.
ENTER = "acd-enter"
WAIT = "acd-wait"
OFFER = "acd-offer"
AFTER = "acd-after"
CODES = "acd-codes"
LEAD = "acd-lead"
SUPERVISE = "acd-supervise"
RETURN = "acd-return"
TRANSFER = "acd-transfer"
CALLBACK = "acd-callback"
FALLBACK = "acd-fallback"
CALLBACK_OFFER = "acd-callback-offer"
HOLD = "acd-hold"
CONSULT = "acd-consult"
RECORDER = "acd-record"
SURVEY = "acd-survey"
NOTE = "acd-note"
CONTEXTS = (
    ENTER,
    WAIT,
    OFFER,
    AFTER,
    CODES,
    RETURN,
    TRANSFER,
    FALLBACK,
    LEAD,
    CALLBACK,
    CALLBACK_OFFER,
    HOLD,
    CONSULT,
    RECORDER,
    SURVEY,
    SUPERVISE,
    NOTE,
)

# Contexts of parts of a call, which nobody is moved into.
MOBILE = "acd-mobile"
TONE = "acd-supervise-tone"

# Variables on the caller's channel, set by the dialplan.
CALL = "ACD_CALL"  # the CallId: <systemname>-<ms of entry>.<serial of the Uniqueid>
QUEUE = "ACD_QUEUE"  # id of the queue where the dialplan knows it, else the number dialled
ENTERED = "ACD_ENTERED"  # milliseconds since the epoch
PRIORITY = "ACD_PRIO"
STATE = "ACD_STATE"  # waiting, offered, talking, held, after, fallback, led
DONE = "ACD_DONE"  # the offer that is over; while it differs from ACD_OFFER, that one is out
CONNECTED = "ACD_CONNECTED"  # milliseconds since the epoch at which the agent answered
TOLD = "ACD_TOLD"  # id of the last announcement that the caller began to hear

# Variables on the caller's channel, set by the service before it redirects to OFFER.
OFFER_ID = "ACD_OFFER"
TARGETS = "ACD_TARGETS"  # dial strings joined by '&'
RING_S = "ACD_RING"  # seconds
RECORD = "ACD_RECORD"  # the name under which the conversation is recorded, or nothing

# Variables on the caller's channel, set by the site before it sends the caller to ENTER.
MUSIC = "ACD_MUSIC"  # class of music on hold
LANGUAGE = "ACD_LANGUAGE"  # that the caller has chosen

# Variables on the caller's channel, set by the service at any moment.
PLACE = "ACD_PLACE"  # milliseconds since the epoch from which the place counts, of a caller who was cut off before
ANNOUNCE = "ACD_ANNOUNCE"  # names of prompts joined by '&', to be heard at the next moment
ANNOUNCE_ID = "ACD_ANNOUNCE_ID"
RECORDING_STATE = "ACD_RECORDING"  # what the recording is, as the PBX has confirmed it: for the agent's phone

# Variables on the caller's channel, set by the service before it redirects to RETURN, together with QUEUE and DONE, and when a
# limit leads a waiting caller to another queue's line.
VISIT = (
    "ACD_VISIT"  # of a stay in a line that is not the first: <ms of entry>-<ms from which the place counts>-<1: head>
)
TRAIL = "ACD_TRAIL"  # ids of the queues before, joined by '.'
SAYS = "ACD_SAYS"  # the prompt that is played first, or nothing

# Variables on the caller's channel, set by the service before it redirects to LEAD.
PROMPTS = "ACD_PROMPTS"  # sounds joined by '&'
DIAL = "ACD_DIAL"  # one dial string
VOICEMAIL = "ACD_VOICEMAIL"  # name of the recording, made by the service
MOST_S = "ACD_MOST"  # seconds of a message
SILENCE_S = "ACD_SILENCE"  # seconds of silence that end it

# Variables of an attempt to call a customer back, set by the service with its Originate. Those of the customer's own channel first.
CONSENT = "ACD_CONSENT"  # "no": the caller is neither recorded nor listened to
ATTEMPT = "ACD_ATTEMPT"  # its id; also the extension, and the key of its marker
CUSTOMER = "ACD_CUSTOMER"  # the number
CONFIRM_S = "ACD_CONFIRM"  # seconds for the key
CONFIRM_TIMES = "ACD_CONFIRM_TIMES"
FOR_EPOCH = "ACD_FOR_EPOCH"  # it is dialled in this run of the service only
SHOWS = "ACD_SHOWS"  # the number that the customer sees
FORGET = "ACD_FORGET"  # attempts whose markers, or calls whose notes, are not needed any more, joined by '&'
FORGET_AT = "forget"  # the extension of CALLBACK that takes markers out
MARKERS = "acd-attempt"  # AstDB: what became of each
PROBE = "acd-probe/live-dangerously"  # AstDB: a row that nobody but the dialplan may write
NOTES = "acd-note"  # AstDB: callers of whom the service may not know; FORGET names those that it does
# Variables of a consult: on the caller's channel …
HELD_AT = "ACD_HELD_AT"  # milliseconds since the epoch at which the caller was put on hold last
# … on the leg of the agent who asks, set by the service before it redirects to CONSULT, together with TARGETS and RING_S …
ASIDE = "ACD_ASIDE"  # id of the consult
ASKED = "ACD_ASKED"  # <agent, queue or number>-<which>
IN_LINE = "ACD_IN_LINE"  # 1: not taken means to wait in line again
HELD = "ACD_HELD"  # the caller's channel; inherited by whoever is asked
OWN_OFFER = "ACD_OWN"  # FOR_OFFER as it was before: that of the offer by which the agent has the caller
WITH = "ACD_WITH"  # the channel to talk to next
# … and the channel of the agent who asks: on the caller's, and on that of whoever is asked.
BY = "ACD_BY"

# Variables on the legs that an offer dials, inherited from the caller's channel.
FOR_CALL = "ACD_FOR"
FOR_OFFER = "ACD_FOR_OFFER"
SHOW = "ACD_SHOW"  # on the caller's channel while it is offered or talks: the name that phones are shown, in place of …
NAME = "ACD_NAME"  # … the caller's own
OUTER = "ACD_OUTER"  # on a phone that accepts by a key: the leg by which the offer reaches it

# Variables on a phone's channel that dialled a code (context CODES).
ASK = "ACD_ASK"  # id of the question: the channel's Uniqueid; a caller's has a count behind it
ASK_KIND = (
    "ACD_KIND"  # sign_in, sign_out, break, available, end_wrap_up; callback, callback_number, callback_confirm, …
)
ASK_AGENT = "ACD_AGENT"  # digits
ASK_PIN = "ACD_PIN"  # digits
ASK_REASON = "ACD_REASON"  # digits after *13 or *15
ASK_KEYED = "ACD_KEYED"  # by a caller who is asked for a number (context CALLBACK_OFFER): digits
ASK_CODE = "ACD_CODE"  # by a caller who is asked for the code of a callback: digits
REPLY = "ACD_REPLY"  # set by the service before it redirects to CODES,reply,1

# Variables on a supervisor's channel, set by the service when it rings him and before it redirects to SUPERVISE.
SPY = "ACD_SPY"  # the session: the channel's Uniqueid
SPY_ON = "ACD_SPY_ON"  # the exact channel of the agent's leg, …
SPY_AT = "ACD_SPY_AT"  # … and that leg's Uniqueid
# and by the dialplan
SPY_NOW = "ACD_SPY_NOW"  # up, quiet, over, or a mode

# Global variables, set by the service.
QUEUE_OF_NUMBER = "ACD_NUMBER_"  # + number -> queue id, empty when there is none
MUSIC_OF_QUEUE = "ACD_MUSIC_"  # + queue id -> class of music on hold, empty for the PBX's default
LANGUAGE_OF_QUEUE = "ACD_LANGUAGE_"  # + queue id -> language of its callers, empty for the channel's own
TITLE_OF_QUEUE = "ACD_TITLE_"  # + queue id -> what agents' phones show before the caller's name
HEARTBEAT = "ACD_HEARTBEAT"  # counted up every second; while it does not change, callers are on their own
AMD = "ACD_AMD"  # 1: the site has app_amd, and its hint is wanted; set by the site
EPOCH = "ACD_EPOCH"  # which run of the service drives this Asterisk
SERVICE = "ACD_SERVICE"  # 1 once the service has told the queues' numbers on this boot of Asterisk

# Global variables, set by waiting callers for one another.
BEAT_SEEN = "ACD_BEAT"  # epoch and heartbeat as they were seen last
BEAT_SEEN_AT = "ACD_BEAT_AT"  # milliseconds since the epoch at which it was seen to change

# UserEvents; their bodies carry only what the dialplan made.
EVENT_ENTER = "AcdEnter"  # Call
EVENT_ANSWER = "AcdAnswer"  # Call, Offer; raised by the agent's leg
EVENT_OFFER_ENDED = "AcdOfferEnded"  # Call, Offer, Status (DIALSTATUS)
EVENT_AFTER = "AcdAfter"  # Call, Offer
EVENT_FALLBACK = "AcdFallback"  # Call, Offer; ends with AcdOfferEnded, or with AcdAnswer
EVENT_ASK = "AcdAsk"  # Ask, Kind
EVENT_LEAD_ENDED = "AcdLeadEnded"  # Call, By (caller, dialplan), Recorded (RECORD_STATUS, or none)
EVENT_TRANSFER = "AcdTransfer"  # Call, To (digits); raised by the caller's channel
EVENT_CONSULT = "AcdConsult"  # Call, Offer, Step: held, back, merged, alone, over, aside, asked; asks, with To (digits)
EVENT_RECORD = "AcdRecord"  # Call, Action (pause, resume); raised by the agent's leg
EVENT_SURVEY = "AcdSurvey"  # Call, Score (a digit, or 0)
EVENT_SAID = "AcdSaid"  # Call, Say: the announcement that begins
EVENT_SPY = "AcdSpy"  # Spy, Now (up, over, or a mode), At: the agent's leg, How: the mode that is over
EVENT_ATTEMPT = "AcdAttempt"  # Attempt, Status: dialling, answered, or what became of it
USER_EVENTS = (
    EVENT_ENTER,
    EVENT_ANSWER,
    EVENT_OFFER_ENDED,
    EVENT_AFTER,
    EVENT_FALLBACK,
    EVENT_ASK,
    EVENT_TRANSFER,
    EVENT_SAID,
    EVENT_LEAD_ENDED,
    EVENT_ATTEMPT,
    EVENT_CONSULT,
    EVENT_RECORD,
    EVENT_SURVEY,
    EVENT_SPY,
)
