"""Keep mappings and options of imports under a name."""

from typing import Any

from django.db import IntegrityError, transaction

from contacts.models import ImportPreset, RecordType
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict


class PresetExists(Conflict):
    code = "PRESET_EXISTS"
    message = "There is already a preset of this name."


def create_preset(*, name: str, options: dict[str, Any], record_type: str = RecordType.CONTACT) -> ImportPreset:
    """Keep options under a name; raise PresetExists when it is taken."""
    preset = ImportPreset(name=name, options=options, record_type=record_type, created_by_id=current_actor().user_id)
    _save(preset)
    record("import_preset.created", "importpreset", preset.id)
    return preset


def update_preset(preset: ImportPreset, **fields: Any) -> ImportPreset:
    """Change name or options; raise PresetExists when the new name is taken."""
    for name, value in fields.items():
        setattr(preset, name, value)
    _save(preset, update_fields=list(fields))
    record("import_preset.updated", "importpreset", preset.id, fields=sorted(fields))
    preset.refresh_from_db()
    return preset


def delete_preset(preset: ImportPreset) -> None:
    """Forget the preset; imports that used it keep what it said."""
    preset_id = preset.pk
    ImportPreset.objects.filter(pk=preset_id).delete()
    record("import_preset.deleted", "importpreset", preset_id)


def _save(preset: ImportPreset, **options: Any) -> None:
    try:
        with transaction.atomic():
            preset.save(**options)
    except IntegrityError as error:
        if "one_import_preset_per_name" not in str(error):
            raise
        existing = ImportPreset.objects.only("id").get(name=preset.name)
        raise PresetExists(field="name", value=preset.name, constraint="unique", existingId=str(existing.id)) from None
