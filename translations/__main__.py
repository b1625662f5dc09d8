"""make translations: takes the texts of the code into the catalogues, compiles them, and names what is untranslated."""

from translations.catalogue import LANGUAGES, po_file, untranslated, update


def main() -> int:
    """Returns 1 while something is untranslated."""
    missing = 0
    for language in LANGUAGES:
        catalogue = update(language)
        for message in untranslated(catalogue):
            missing += 1
            places = ", ".join(path for path, _line in message.locations)
            print(f"{language}: {places}: {message.id!r}")
        print(f"{po_file(language)}: {len(catalogue)} texts")
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
