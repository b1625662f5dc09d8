"""A simulated, seeded data set that fills every page; the database says that it holds it."""
