"""``python -m lab up | down | kill-service | start-service | restart-service``: what the Makefile's lab targets run."""

import sys

from lab.asterisk import LabError
from lab.settings import read_settings
from lab.stack import Lab


def main(command: str) -> None:
    settings = read_settings()
    if command == "down" and not settings.directory.exists():
        return
    lab = Lab(settings)
    match command:
        case "up":
            lab.up()
            _tell(lab)
        case "down":
            lab.down()
        case "kill-service":
            lab.kill_service()
        case "start-service":
            lab.start_service()
        case "restart-service":
            lab.kill_service()
            lab.start_service()
        case _:
            raise LabError(f"no such command: {command}")


def _tell(lab: Lab) -> None:
    settings = lab.settings
    print(f"PBX      sip:127.0.0.1:{settings.sip_port} (UDP)   phones agent-101 …, password nobat-<phone>")
    print("queues   sales 8000, support 8001")
    print(f"service  http://127.0.0.1:{settings.http_port}   tokens in {lab.directory / 'tokens'}")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) == 2 else "")
    except LabError as error:
        print(f"nobat: {error}", file=sys.stderr)
        sys.exit(1)
