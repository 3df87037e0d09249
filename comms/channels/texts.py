"""What text messages cost: how many parts a text is sent in."""

# GSM 03.38: the alphabet of seven bits, and what takes two places in it.
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_DOUBLE = frozenset("^{}\\[~]|€\f")


def segments(text: str) -> int:
    """Return in how many parts a text is sent, each of which is paid for."""
    if all(letter in GSM or letter in GSM_DOUBLE for letter in text):
        length, single, part = len(text) + sum(letter in GSM_DOUBLE for letter in text), 160, 153
    else:
        length, single, part = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= single else -(-length // part)
