"""What the tests of the hardened PBX compare with: the rights of the one account, and the lines that a console shows."""

import re

MAY = frozenset(
    {
        *("AbsoluteTimeout", "Atxfer", "BlindTransfer", "Bridge", "CancelAtxfer", "CoreSettings", "CoreShowChannelMap"),
        *(
            "CoreShowChannels",
            "CoreStatus",
            "DBGet",
            "DBGetTree",
            "DeviceStateList",
            "ExtensionState",
            "ExtensionStateList",
        ),
        *("Getvar", "Hangup", "LocalOptimizeAway", "LoggerRotate", "MailboxCount", "MailboxStatus", "MixMonitorMute"),
        *(
            "Originate",
            "PJSIPHangup",
            "PJSIPQualify",
            "PresenceState",
            "Redirect",
            "SendText",
            "Setvar",
            "ShowDialPlan",
        ),
        *("Status", "StopMixMonitor"),
    }
)
"""Actions of the classes that it has, with the modules that are loaded."""

ANYBODY = frozenset(
    {
        *("BridgeDestroy", "BridgeInfo", "BridgeKick", "BridgeList", "BridgeTechnologyList", "BridgeTechnologySuspend"),
        *("BridgeTechnologyUnsuspend", "Challenge", "Events", "ListCommands", "Login", "Logoff", "Ping", "WaitEvent"),
        *("QueueChangePriorityCaller", "QueueReload", "QueueReset", "QueueRule", "QueueStatus", "QueueSummary"),
        "QueueWithdrawCaller",
    }
)
"""Actions that Asterisk gives to every account, whatever its rights: why there is no second account."""

MAY_NOT: dict[str, dict[str, str]] = {
    "Command": {"Command": "core show uptime"},
    "GetConfig": {"Filename": "manager.conf"},
    "GetConfigJSON": {"Filename": "manager.conf"},
    "UpdateConfig": {"SrcFilename": "manager.conf", "DstFilename": "manager.conf"},
    "CreateConfig": {"Filename": "x.conf"},
    "ListCategories": {"Filename": "manager.conf"},
    "Reload": {"Module": "manager"},
    "ModuleLoad": {"Module": "app_system.so", "LoadType": "load"},
    "ModuleCheck": {"Module": "app_system.so"},
    "DBPut": {"Family": "x", "Key": "y", "Val": "z"},
    "DBDel": {"Family": "x", "Key": "y"},
    "DBDelTree": {"Family": "x"},
    "MixMonitor": {"Channel": "x", "File": "/tmp/x.wav"},
    "UserEvent": {"UserEvent": "AcdEnter"},
    "QueueAdd": {"Queue": "sales", "Interface": "PJSIP/x"},
    "QueueRemove": {"Queue": "sales", "Interface": "PJSIP/x"},
    "QueuePause": {"Interface": "PJSIP/x", "Paused": "true"},
    "DialplanExtensionAdd": {"Context": "from-trunk", "Extension": "1", "Priority": "1", "Application": "System"},
    "DialplanExtensionRemove": {"Context": "from-trunk", "Extension": "_XX"},
    "Filter": {"Operation": "Add", "Filter": "Event: .*"},
    "PJSIPShowEndpoints": {},
    "PJSIPNotify": {"Endpoint": "agent-101", "Variable": "Event=x"},
    "MessageSend": {"To": "pjsip:agent-101", "From": "x", "Body": "x"},
    "AGI": {"Channel": "x", "Command": "exec"},
}
"""Actions that it must be refused: classes that it does not have, or modules that are not loaded."""

APPLICATIONS = ("System", "TrySystem", "AGI", "MixMonitor", "ExternalIVR", "Originate", "Exec", "ExecIf", "Gosub")
FUNCTIONS = (
    "SHELL(id)",
    "CURL(http://127.0.0.1/)",
    "FILE(/etc/passwd)",
    "ENV(PATH)",
    "STAT(s,/etc/passwd)",
    "DB(x/y)",
    "AST_CONFIG(a,b,c)",
)

ABSENT = (
    "app_system", "func_shell", "func_curl", "func_env", "res_agi", "app_externalivr", "app_originate", "chan_iax2", "chan_unistim",
    "chan_mgcp", "res_phoneprov", "res_http_websocket", "res_ari", "res_http_post", "app_exec", "func_dialgroup", "app_chanisavail",
    "chan_websocket", "res_pjsip_endpoint_identifier_anonymous", "res_pjsip_messaging", "res_pjsip_publish_asterisk", "func_config",
)  # fmt: skip
"""Modules that are not loaded."""

PHONE = {
    "allow_subscribe": "false",
    "allow_overlap": "false",
    "redirect_method": "user",
    "trust_id_inbound": "false",
    "trust_id_outbound": "false",
    "send_pai": "true",
    "send_rpid": "false",
    "allow_unauthenticated_options": "false",
    "identify_by": "username",
    "context": "from-phones",
    "direct_media": "false",
    "device_state_busy_at": "1",
    "rtp_timeout_hold": "300",
    "timers": "yes",
    "max_video_streams": "1",
    "one_touch_recording": "false",
    "t38_udptl": "false",
}
TRUNK = {
    "identify_by": "ip",
    "context": "from-trunk",
    "allow_transfer": "false",
    "allow_subscribe": "false",
    "allow_overlap": "false",
    "allow_unauthenticated_options": "false",
    "trust_id_inbound": "true",
    "direct_media": "false",
    "timers": "yes",
}


def values(shown: str) -> dict[str, str]:
    """Names and values of a table on Asterisk's console."""
    return {
        name.strip(): value.strip() for name, value in re.findall(r"^ ?([^:\n]+?)\s*:(?: |$)(.*)$", shown, re.MULTILINE)
    }
