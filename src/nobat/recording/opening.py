"""The keeper of recordings as the settings want it."""

from collections.abc import Callable

import structlog

from acd.ids import PbxId
from nobat.metrics import Metrics
from nobat.recording.keeper import RecordingKeeper
from nobat.recording.vault import Vault, VaultError, master_key
from nobat.settings import Settings
from nobat.storage.database import Database

log = structlog.get_logger(__name__)


def keeper_of(settings: Settings, metrics: Metrics, database: Database, now: Callable[[], float]) -> RecordingKeeper:
    """Without a folder nothing is recorded, and the keeper has nothing to do. Raises ``VaultError``: a folder or key of no use."""
    folder, key_path = settings.recordings.folder, settings.recordings.key_path
    folders = {PbxId(one.name): one.recording_dir for one in settings.pbx if one.recording_dir is not None}
    if folder is None or key_path is None or not folders:
        return RecordingKeeper(metrics, database, {}, None, now)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise VaultError(f"the folder of recordings {folder} cannot be made: {error.strerror}") from None
    if not key_path.exists() and any(
        folder.glob("*.nbr")
    ):  # a new key would open none of them, and nobody would know before
        raise VaultError(f"{folder} has recordings, but their key file {key_path} is not there: put it back")
    vault = Vault(folder, master_key(key_path))
    return RecordingKeeper(metrics, database, folders, vault, now, metrics.recorded)
