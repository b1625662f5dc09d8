"""What is told: charts, and the weekly digest."""
