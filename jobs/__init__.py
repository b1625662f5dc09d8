"""What computes: one job a file, a runner, a timetable and a loop."""
