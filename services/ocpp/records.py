"""Keep what has to survive a restart: accepted charge points and their sessions, a file each."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import structlog
from pydantic import ValidationError

from luna.contracts.charge_points import ChargePointBoot, ChargePointTraits, Identity
from luna.contracts.message import Message
from luna.drivers import DEVICES_FOLDER
from luna.energy.errors import MachineError
from luna.platform.private_folders import make_private
from luna.platform.written_files import write_whole
from services.ocpp.transactions import Transaction

# Below the data folder.
FOLDER = f"{DEVICES_FOLDER}/ocpp"
# Cards that may start charging, one a line; without that file all may.
TAGS_FILE = "tags.txt"

log = structlog.get_logger("luna.ocpp")


class ChargePointRecord(Message):
    """An accepted charge point on disk."""

    identity: Identity
    traits: ChargePointTraits
    boot: ChargePointBoot
    transactions: list[Transaction]


class RecordFolder:
    """The folder with the accepted charge points."""

    def __init__(self, data_folder: Path) -> None:
        self.folder = data_folder / FOLDER

    def load(self) -> Iterator[ChargePointRecord]:
        """Yield the charge points on disk; a file that cannot be read is set aside."""
        for path in sorted(self.folder.glob("*.json")):
            try:
                record = ChargePointRecord.model_validate_json(path.read_bytes())
            except (OSError, ValueError) as error:
                log.warning("a charge point cannot be read", file=path.name, error=str(error))
                path.replace(path.with_suffix(".damaged"))
                continue
            yield record

    def store(
        self,
        identity: str,
        traits: ChargePointTraits,
        boot: ChargePointBoot,
        transactions: list[Transaction],
    ) -> bool:
        """Write a charge point's file; return False where the disk takes none."""
        try:
            record = ChargePointRecord(
                identity=identity, traits=traits, boot=boot, transactions=transactions
            )
            make_private(self.folder)
            name = hashlib.sha256(identity.encode()).hexdigest()[:32]
            write_whole(self.folder / f"{name}.json", record.model_dump_json())
        except (OSError, MachineError, ValidationError) as error:
            log.warning("a charge point cannot be kept", charge_point=identity, error=str(error))
            return False
        return True

    def allows_tag(self, tag: str) -> bool:
        """Return whether a card may start charging."""
        try:
            lines = (self.folder / TAGS_FILE).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return True
        except (OSError, UnicodeDecodeError) as error:
            log.warning("the list of cards cannot be read", error=str(error))
            return False
        return tag.casefold() in {line.strip().casefold() for line in lines if line.strip()}
