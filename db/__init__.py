"""Tables, and how to reach them: the ground floor of the house."""
