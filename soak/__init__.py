"""make soak: processes killed, stopped and crowded for minutes, and the proof that nothing was lost or doubled."""
