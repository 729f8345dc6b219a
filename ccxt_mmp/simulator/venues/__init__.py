"""The exchanges as the simulator serves them, a folder each with the same files in each."""
