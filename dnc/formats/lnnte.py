"""Canada's LNNTE-DNCL as CSV: `416,5550100`, one file an area code in one zip, or one file for the nation."""

import re
from datetime import date

from dnc.formats import Identity
from dnc.formats.ftc_flat import FtcFlat as _Flat

NAME = re.compile(r"(?:.*?(\d{4})-(\d{1,2})-(\d{1,2}).*?)?(?:[_-](\d{3}))?[^/]*\.(?:csv|txt)(?:\.zip)?", re.IGNORECASE)
BARE = re.compile(r"(\d{3})\.(?:csv|txt)", re.IGNORECASE)


class Lnnte(_Flat):
    slug = "lnnte"
    label = "Canada LNNTE-DNCL, CSV"

    def identify(self, name: str) -> Identity | None:
        if bare := BARE.fullmatch(name):
            return Identity(area="1" + bare[1])
        match = NAME.fullmatch(name)
        if match is None:
            return None
        try:
            day = date(int(match[1]), int(match[2]), int(match[3])) if match[1] else None
        except ValueError:
            return None
        return Identity(version_date=day, area="1" + match[4] if match[4] else "")
