"""The names files give to the columns we know, from the exports of common products and four languages."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

# Each field's names, most telling first: where a file has several, the earlier one wins. Written without case,
# accents and punctuation; numbers ("Phone 2", "E-mail 1 - Value") are read off before the look-up.
NAMES = MappingProxyType(
    {
        "first_name": (
            "first name|firstname|fname|given name|givenname|forename|first|name first|contact first name"
            "|lead first name|person first name|prenom|nombre|nombres|primer nombre|vorname|rufname"
        ),
        "last_name": (
            "last name|lastname|lname|surname|family name|familyname|last|name last|contact last name|lead last name"
            "|person last name|nom de famille|apellido|apellidos|primer apellido|nachname|familienname|nom|zuname"
        ),
        "full_name": (
            "full name|fullname|name|contact name|display name|displayname|contact|person name|lead name|customer name"
            "|customer|client name|person|file as|nom complet|nom et prenom|nombre completo|nombre y apellidos"
            "|vollstandiger name|ansprechpartner|kontakt"
        ),
        "email": (
            "email|email address|e mail|e mail address|mail|primary email|email value|e mail value|emailaddress"
            "|email work|work email|business email|email home|personal email|home email|contact email|person email work"
            "|person email|person email home|lead email|secondary email|email other|other email|email addresses"
            "|courriel|adresse e mail|adresse mail|adresse courriel|adresse email|mel|correo|correo electronico"
            "|direccion de correo electronico|e mail adresse|mailadresse|email adresse"
        ),
        "phone": (
            "phone|phone number|phonenumber|mobile|mobile phone|mobile number|mobile phone number|cell|cell phone"
            "|cellphone|cell number|primary phone|phone value|telephone|telephone number|tel|phone mobile|phone no"
            "|contact number|contact phone|contact phone number|person phone mobile|person phone|person phone work"
            "|lead phone|phone work|work phone|business phone|business telephone|direct phone|direct line|home phone"
            "|phone home|person phone home|company phone|company main phone|main phone|other phone|phone other|whatsapp"
            "|whatsapp number|telephone portable|portable|mobile telephone|numero de telephone|tel portable|gsm"
            "|telefono|telefono movil|movil|celular|numero de telefono|telefon|telefonnummer|handy|handynummer"
            "|mobiltelefon|mobil|mobilnummer|rufnummer"
        ),
        "company": (
            "company|company name|companyname|organization|organisation|organization name|organisation name|account name"
            "|account|employer|business|business name|associated company|person organization|firm|societe|entreprise"
            "|nom de l entreprise|empresa|compania|organizacion|firma|unternehmen|firmenname|primary associated company"
        ),
        "title": (
            "job title|jobtitle|title|position|role|organization title|job position|designation|occupation|job|poste"
            "|fonction|titre|intitule du poste|cargo|puesto|titulo|berufsbezeichnung|stelle|funktion|jobtitel"
        ),
        "address": (
            "street address|address street|street|address|address line|business street|home street|mailing street"
            "|mailing address|street name|address formatted|billing street|postal address|other street|adresse|rue"
            "|adresse postale|direccion|calle|domicilio|strasse|anschrift|strasse und hausnummer|strasse hausnummer"
        ),
        "city": (
            "city|town|address city|business city|home city|mailing city|billing city|other city|locality|suburb|ville"
            "|ciudad|localidad|municipio|stadt|ort|wohnort"
        ),
        "state": (
            "state|state region|region|province|state province|state code|address region|business state|home state"
            "|mailing state|mailing state province|billing state|other state|address state|county|etat|departement"
            "|provincia|estado|bundesland|kanton"
        ),
        "zip": (
            "zip|zip code|zipcode|postal code|postalcode|postcode|post code|zip postal code|address postal code"
            "|business postal code|home postal code|mailing zip|mailing zip postal code|mailing code|billing zip"
            "|other postal code|address zip|mailing postal code|code postal|codigo postal|cp|plz|postleitzahl"
        ),
        "country": (
            "country|country region|address country|business country region|home country region|mailing country"
            "|business country|home country|billing country|other country region|country code|country name|pays|pais|land"
        ),
        "tags": (
            "tags|tag|labels|label|categories|category|group membership|groups|segments|keywords|etiquettes|etiquetas"
            "|schlagworter|kategorien"
        ),
        "notes": (
            "notes|note|comments|comment|description|remarks|memo|remarques|commentaires|commentaire|notas|comentarios"
            "|observaciones|notizen|notiz|bemerkung|bemerkungen|anmerkungen"
        ),
        "source": (
            "source|lead source|contact source|original source|origin|original traffic source|origine|origen|fuente"
            "|quelle|herkunft"
        ),
        "id": "vocelio id",
        "phone_extension": "phone extension|extension|ext|phone ext|telephone extension|nebenstelle|durchwahl|poste tel",
        "status": "status|contact status|estado del contacto|statut",
        "external_id": (
            "external id|externalid|id|contact id|contactid|record id|recordid|lead id|person id|customer id|crm id|uid"
            "|uuid|record id contact|identifiant|identificador|kundennummer"
        ),
    }
)
# The same of files of companies.
COMPANY_NAMES = MappingProxyType(
    {
        "name": (
            "company name|companyname|company|account name|account|organization name|organisation name|organization"
            "|organisation|client name|client|customer name|customer|business name|business|firm|name|display name"
            "|employer|vendor|supplier|societe|entreprise|nom de l entreprise|raison sociale|nom|empresa|compania"
            "|organizacion|nombre de la empresa|nombre|firma|firmenname|unternehmen|unternehmensname|kunde|kundenname"
        ),
        "legal_name": "legal name|legalname|registered name|legal entity|legal entity name|official name|trading name",
        "domain": (
            "domain|domain name|company domain|company domain name|website domain|email domain|web domain|domaine|dominio"
            "|domane"
        ),
        "website": (
            "website|website url|web site|company website|url|web|homepage|home page|web address|company url|site web"
            "|site internet|sitio web|pagina web|webseite|internetadresse"
        ),
        "linkedin_url": (
            "linkedin url|linkedin|linkedin company page|company linkedin url|linkedin company url|linkedin page"
            "|company linkedin|linked in|linked in url|linked in company page"
        ),
        "industry": (
            "industry|company industry|sector|vertical|industry sector|line of business|branch|secteur|secteur d activite"
            "|industria|sector industrial|rubro|branche|industrie|wirtschaftszweig"
        ),
        "size": (
            "size|company size|employees|number of employees|no of employees|employee count|employeecount|headcount"
            "|num employees|numberofemployees|employee range|staff|staff count|effectif|effectifs|nombre d employes"
            "|empleados|numero de empleados|tamano|mitarbeiter|mitarbeiterzahl|anzahl mitarbeiter|unternehmensgrosse"
        ),
        "annual_revenue": (
            "annual revenue|annualrevenue|revenue|company revenue|yearly revenue|turnover|annual turnover|sales|annual sales"
            "|chiffre d affaires|ca|ingresos|ingresos anuales|facturacion|umsatz|jahresumsatz"
        ),
        "currency": "currency|currency code|revenue currency|currency iso code|devise|moneda|divisa|wahrung",
        "tax_id": (
            "tax id|taxid|vat number|vat|vat id|ein|tax number|tax registration number|vat registration number|tin"
            "|company number|registration number|numero de tva|tva|siret|siren|nif|cif|ust id|ust idnr|ustid|steuernummer"
        ),
        "phone": (
            "phone|phone number|phonenumber|company phone|company phone number|main phone|telephone|telephone number|tel"
            "|office phone|business phone|work phone|phone no|switchboard|mobile|mobile phone|telefono|numero de telefono"
            "|numero de telephone|telefon|telefonnummer|rufnummer"
        ),
        "email": (
            "email|email address|e mail|e mail address|mail|company email|office email|business email|emailaddress"
            "|general email|courriel|adresse e mail|adresse email|correo|correo electronico|e mail adresse|mailadresse"
        ),
        "address": (
            "address|street address|street|address line|address street|billing street|billing address|shipping street"
            "|registered address|office address|postal address|mailing address|adresse|rue|direccion|calle|domicilio"
            "|strasse|anschrift|strasse und hausnummer|strasse hausnummer"
        ),
        **{field: NAMES[field] for field in ("city", "state", "zip", "country", "tags", "notes", "source")},
        "status": "status|client status|account status|lifecycle stage|customer status|estado|statut|kundenstatus",
        "id": "vocelio id",
    }
)


@dataclass(frozen=True)
class KnownName:
    """What a header means: the field, how telling the name is (0 is best) and which of several it counts (from 1)."""

    field: str
    rank: int
    number: int


_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]+|\d+")


class Vocabulary:
    """The names of the columns of one kind of file.

    `noise` are words around a name that do not change what it means ("property_firstname", "Phone (required)").
    """

    def __init__(self, names: Mapping[str, str], noise: str) -> None:
        self._ranks = {
            name: (field, rank) for field, text in names.items() for rank, name in enumerate(text.split("|"))
        }
        self._noise = frozenset(noise.split())
        self.known_name = lru_cache(maxsize=2048)(self._known_name)

    def _known_name(self, header: str) -> KnownName | None:
        """Return what the header means, or None when it is no name we know."""
        if len(header) > 100:
            return None
        letters = unicodedata.normalize("NFKD", _CAMEL.sub(" ", header).casefold())
        words = _WORD.findall("".join(letter for letter in letters if not unicodedata.combining(letter)))
        numbers = [int(word) for word in words if word.isdecimal()]
        words = [word for word in words if not word.isdecimal()]
        found = self._ranks.get(" ".join(words))
        found = found or self._ranks.get(" ".join(word for word in words if word not in self._noise))
        return KnownName(*found, numbers[0] if numbers else 1) if found else None


PEOPLE = Vocabulary(NAMES, "property contact lead primary required optional the your hs value")
COMPANIES = Vocabulary(COMPANY_NAMES, "property primary required optional the your hs value account company billing")


def field_for_header(header: str) -> str | None:
    """Return the field of a contact a header names, whatever its case, accents, punctuation and numbering."""
    known = PEOPLE.known_name(header)
    return known.field if known else None
