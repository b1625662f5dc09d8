"""Reads: functions named after their answer. They take a connection and give DataFrames or plain values."""
