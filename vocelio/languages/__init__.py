"""Back office, mails and errors in the reader's language. Open translate.py first.

Texts stand in English in the code. Where they pass on their way to people they are looked up in
vocelio/locale, with the values of f-strings taken out: `translated("3 contacts tagged.")` finds
"{1} contacts tagged." So services need not know of languages. `gathering.py` finds the texts.
"""
