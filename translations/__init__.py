"""The catalogues of texts, one a language, and what keeps them up to date; the program only reads the .mo files."""
