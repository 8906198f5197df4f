"""The encoder: nothing that could be read in two ways is ever queued."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami import actions, names
from ami.actions import ActionRefused, encode
from ami.readings import ASK_VARIABLES

CHANNEL = "PJSIP/agent-101-0000001a"
HOSTILE = st.text(st.characters(codec="utf-8"), min_size=1).flatmap(
    lambda text: st.sampled_from(["\r\n", "\n", "\r", "\0", "\x1b", "\x7f", "\x85"]).map(
        lambda control: text + control + text
    )
)


def lines(action: actions.Action) -> dict[str, str]:
    return dict(encode(action))


def test_what_is_sent() -> None:
    assert lines(actions.Redirect(CHANNEL, names.OFFER)) == {
        "Action": "Redirect", "Channel": CHANNEL, "Context": "acd-offer", "Exten": "s", "Priority": "1",
    }  # fmt: skip
    assert lines(actions.SetOffer(CHANNEL, "of1", ("PJSIP/agent-101", "PJSIP/agent-102"), 20)) == {
        "Action": "Setvar", "Channel": CHANNEL, "Variable": "ARRAY(ACD_OFFER,ACD_TARGETS,ACD_RING,ACD_RECORD)",
        "Value": "of1,PJSIP/agent-101&PJSIP/agent-102,20,",
    }  # fmt: skip
    assert lines(actions.SetGlobal("ACD_NUMBER_8000", "sales")) == {
        "Action": "Setvar", "Variable": "ACD_NUMBER_8000", "Value": "sales",
    }  # fmt: skip
    assert lines(actions.SetGlobal("ACD_NUMBER_8000", ""))["Value"] == ""
    assert lines(actions.Status(ASK_VARIABLES, CHANNEL))["Variables"] == "ACD_ASK,ACD_KIND,ACD_AGENT,ACD_PIN,ACD_REASON"
    assert lines(actions.Hangup(CHANNEL, 1)) == {"Action": "Hangup", "Channel": CHANNEL, "Cause": "1"}


@pytest.mark.parametrize(
    "channel",
    [
        "/^.*$/", "/PJSIP/", "PJSIP/agent-101", "PJSIP/", "", "all", "PJSIP/agent-101-0000001a\r\nAction: Hangup",
        "PJSIP/agent-101-0000001a,x", "PJSIP/agent-101-0000001A ", "PJSIP/agent-101-0000001g", "PJSIP/a&PJSIP/b-00000001",
        "PJSIP/agent-101-0000001a<ZOMBIE>", "pbx1-1795317144.7",
    ],
)  # fmt: skip
def test_only_the_exact_name_of_one_channel_is_taken(channel: str) -> None:
    for action in (
        actions.Hangup(channel),
        actions.Redirect(channel, names.WAIT),
        actions.SetVariable(channel, names.REPLY, "locked"),
        actions.SetOffer(channel, "of1", ("PJSIP/a",), 5),
        actions.Status(channel=channel),
    ):
        with pytest.raises(ActionRefused):
            encode(action)


@pytest.mark.parametrize(
    "channel", [CHANNEL, "Local/101@acd-mobile-0000000f;1", "PJSIP/my.trunk_x-00000000", "IAX2/a-12345678"]
)
def test_channel_names_as_asterisk_makes_them_are_taken(channel: str) -> None:
    assert encode(actions.Hangup(channel))


@pytest.mark.parametrize(
    "action",
    [
        actions.SetVariable(CHANNEL, "CALLERID(num)", "1"),
        actions.SetVariable(CHANNEL, "SHELL(reboot)", "1"),
        actions.SetVariable(CHANNEL, names.CALL, "x"),
        actions.SetGlobal("ACD_NUMBER_", "sales"),
        actions.SetGlobal("ACD_NUMBER_8000,x", "sales"),
        actions.SetGlobal("TRUNK", "x"),
        actions.Redirect(CHANNEL, "from-trunk"),
        actions.Status(("SECRET",)),
        actions.Status(("ACD_CALL,SHELL(x)",)),
        actions.Hangup(CHANNEL, 200),
        actions.Hangup(CHANNEL, -1),
    ],
)
def test_names_outside_the_fixed_lists_are_refused(action: actions.Action) -> None:
    with pytest.raises(ActionRefused):
        encode(action)


@pytest.mark.parametrize(
    "value", ["PJSIP/agent-101,30", "PJSIP/a&", "PJSIP/${X}", "PJSIP/x^y", "PJSIP/a b", "agent-101", "PJSIP/(x)"]
)
def test_a_dial_string_that_dial_would_take_apart_is_refused(value: str) -> None:
    with pytest.raises(ActionRefused, match="malformed_value"):
        encode(actions.SetOffer(CHANNEL, "of1", (value,), 5))


@pytest.mark.parametrize(
    ("offer", "targets", "ring_s"), [("a,b", ("PJSIP/a",), 5), ("a", (), 5), ("a", ("PJSIP/a",), 0)]
)
def test_an_offer_that_would_read_otherwise_is_refused(offer: str, targets: tuple[str, ...], ring_s: int) -> None:
    with pytest.raises(ActionRefused, match="malformed_value"):
        encode(actions.SetOffer(CHANNEL, offer, targets, ring_s))


def test_a_line_beyond_asterisks_limit_is_refused() -> None:
    many = tuple(f"PJSIP/agent-{number}" for number in range(100, 180))
    with pytest.raises(ActionRefused, match="line_too_long"):
        encode(actions.SetOffer(CHANNEL, "of1", many, 5))
    assert encode(actions.Login("nobat", "x" * 900))
    with pytest.raises(ActionRefused, match="line_too_long"):
        encode(actions.Login("nobat", "x" * 1000))
    with pytest.raises(ActionRefused, match="line_too_long"):
        encode(actions.Login("nobat", "م" * 500))  # bytes count, not letters


@given(text=HOSTILE)
def test_control_characters_are_refused_in_every_field(text: str) -> None:
    every: list[actions.Action] = [
        actions.Login(text, "secret"),
        actions.Login("nobat", text),
        actions.ShowDialPlan(text),
        actions.Status((text,)),
        actions.Status(channel=text),
        actions.SetVariable(text, names.REPLY, "locked"),
        actions.SetVariable(CHANNEL, text, "locked"),
        actions.SetVariable(CHANNEL, names.REPLY, text),
        actions.SetOffer(text, "of1", ("PJSIP/a",), 5),
        actions.SetOffer(CHANNEL, text, ("PJSIP/a",), 5),
        actions.SetOffer(CHANNEL, "of1", (text,), 5),
        actions.SetGlobal(text, "sales"),
        actions.SetGlobal(names.QUEUE_OF_NUMBER + text, "sales"),
        actions.SetGlobal("ACD_NUMBER_8000", text),
        actions.Redirect(text, names.WAIT),
        actions.Redirect(CHANNEL, text),
        actions.Redirect(CHANNEL, names.WAIT, text),
        actions.Hangup(text),
    ]
    for action in every:
        with pytest.raises(ActionRefused) as refused:
            encode(action)
        assert text not in str(refused.value)


@given(text=st.text(max_size=40))
def test_whatever_is_taken_is_one_line(text: str) -> None:
    for action in (actions.SetVariable(CHANNEL, names.REPLY, text), actions.Login("nobat", text), actions.Hangup(text)):
        try:
            headers = encode(action)
        except ActionRefused:
            continue
        assert all(len(f"{name}: {value}".splitlines()) == 1 for name, value in headers)


def test_a_secret_does_not_show_in_a_traceback() -> None:
    assert "s3cret" not in repr(actions.Login("nobat", "s3cret"))
