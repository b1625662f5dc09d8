"""The commands of python -m db; each takes what was typed, the database and the zone, and returns its exit status."""

import argparse

Arguments = argparse.Namespace
