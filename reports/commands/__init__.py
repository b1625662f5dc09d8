"""The commands of python -m reports; each takes what was typed and the settings, and returns its exit status."""

import argparse

Arguments = argparse.Namespace
