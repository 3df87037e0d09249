import pytest

from contacts.tabular import guess_columns


def fields(headers, *rows):
    return {guess.field: guess.header for guess in guess_columns(headers, rows) if guess.field}


def test_the_template_maps_to_itself_with_confidence():
    names = ["first_name", "last_name", "phone", "email", "company", "title", "address", "city", "state", "zip"]
    guesses = guess_columns(names, [])
    assert [guess.field for guess in guesses] == names
    assert all(guess.confidence > 0.7 for guess in guesses)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            "First Name,Middle Name,Last Name,File As,Organization Name,Organization Title,Notes,Labels,E-mail 1 - Label,"
            "E-mail 1 - Value,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value,Phone 2 - Value,Address 1 - Formatted,"
            "Address 1 - Street,Address 1 - City,Address 1 - Region,Address 1 - Postal Code,Address 1 - Country",
            {
                "first_name": "First Name",
                "last_name": "Last Name",
                "company": "Organization Name",
                "title": "Organization Title",
                "tags": "Labels",
                "email": "E-mail 1 - Value",
                "phone": "Phone 1 - Value",
                "address": "Address 1 - Street",
                "state": "Address 1 - Region",
                "zip": "Address 1 - Postal Code",
            },
        ),
        (
            "Title,First Name,Last Name,Company,Job Title,Business Street,Business Street 2,Business City,Business State,"
            "Business Postal Code,Business Country/Region,Home Street,Business Fax,Business Phone,Home Phone,Mobile Phone,"
            "Categories,E-mail Address,E-mail Type,E-mail Display Name,E-mail 2 Address,Notes",
            {
                "title": "Job Title",
                "address": "Business Street",
                "phone": "Mobile Phone",
                "email": "E-mail Address",
                "country": "Business Country/Region",
                "tags": "Categories",
            },
        ),
        (
            "Record ID - Contact,First Name,Last Name,Email,Phone Number,Contact owner,Associated Company,State/Region",
            {"external_id": "Record ID - Contact", "phone": "Phone Number", "company": "Associated Company"},
        ),
        (
            "Id,Salutation,FirstName,LastName,Account Name,MailingStreet,MailingPostalCode,Fax,MobilePhone,LeadSource",
            {"first_name": "FirstName", "company": "Account Name", "zip": "MailingPostalCode", "phone": "MobilePhone"},
        ),
        (
            "Person - Name,Person - Email - Work,Person - Phone - Work,Organization - Name,Person - ID",
            {"full_name": "Person - Name", "email": "Person - Email - Work", "phone": "Person - Phone - Work"},
        ),
        (
            "Nombre,Apellidos,Teléfono móvil,Correo electrónico,Empresa,Cargo,Dirección,Ciudad,Provincia,Código postal",
            {"first_name": "Nombre", "last_name": "Apellidos", "phone": "Teléfono móvil", "zip": "Código postal"},
        ),
        ("Prénom,Nom,Téléphone portable,Adresse e-mail", {"first_name": "Prénom", "last_name": "Nom"}),
        (
            "Vorname,Name,Telefonnummer,E-Mail-Adresse,Straße,PLZ,Ort",
            {"first_name": "Vorname", "last_name": "Name", "address": "Straße", "city": "Ort"},
        ),
        ("fname,lname,Cell Phone #,E-MAIL*", {"first_name": "fname", "phone": "Cell Phone #", "email": "E-MAIL*"}),
    ],
)
def test_exports_of_common_products_and_languages_are_understood(headers, expected):
    found = fields(headers.split(","))
    assert {field: found.get(field) for field in expected} == expected


def test_a_field_is_taken_once_and_the_rest_stay_custom():
    guesses = guess_columns(["Phone", "Phone 2", "Home Phone", "Shoe size"], [])
    assert [guess.field for guess in guesses] == ["phone", None, None, None]
    assert [guess.header for guess in guesses] == ["Phone", "Phone 2", "Home Phone", "Shoe size"]


def test_the_column_that_holds_something_wins():
    headers = ["Mobile Phone", "Business Phone"]
    assert fields(headers, ["", "212-555-0123"], ["", "646-555-0199"])["phone"] == "Business Phone"


def test_content_speaks_where_no_name_does():
    assert fields(["Column 1", "Column 2", "Column 3"], ["Ann", "ann@example.com", "(212) 555-0123"]) == {
        "email": "Column 2",
        "phone": "Column 3",
    }
