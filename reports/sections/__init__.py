"""The parts of the weekly digest, one word each."""
