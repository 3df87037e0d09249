"""A folder of the storage (a directory, or a bucket's prefix), or for operators a folder of the machine."""

from collections.abc import Iterator
from pathlib import Path

from django.core.files.storage import default_storage

from dnc.sources import Errand, Fetched, Place, PluginError

MOST_BYTES = 256 * 1024 * 1024


class StorageFolder(Place):
    """What is put into `incoming/<list>` of the storage; the bucket, where the storage is one."""

    slug = "storage"
    label = "Watched folder of the file storage or bucket"

    def fetch(self, errand: Errand) -> Iterator[Fetched]:
        try:
            _, files = default_storage.listdir(errand.prefix)
        except FileNotFoundError:
            return
        for filename in sorted(files):
            path = f"{errand.prefix}/{filename}"
            name = f"{path}@{default_storage.get_modified_time(path).isoformat()}#{default_storage.size(path)}"
            if errand.is_known(name):
                continue
            if default_storage.size(path) > MOST_BYTES:
                raise PluginError(f"{filename} is larger than 256 MB.", permanent=True, code="too_large")
            with default_storage.open(path) as file:
                yield Fetched(name, filename, file.read())


class MachineFolder(Place):
    """A folder of this machine, such as another program's drop directory."""

    slug = "folder"
    label = "Watched folder of the machine"
    required = ("folder",)
    for_operators = True

    def fetch(self, errand: Errand) -> Iterator[Fetched]:
        folder = Path(errand.settings["folder"])
        if not folder.is_dir():
            raise PluginError(f"{folder} is no folder.", permanent=True, code="no_folder")
        for path in sorted(entry for entry in folder.iterdir() if entry.is_file()):
            stat = path.stat()
            name = f"{path}@{stat.st_mtime_ns}#{stat.st_size}"
            if not errand.is_known(name):
                yield Fetched(name, path.name, path.read_bytes())
