"""The exchanges as the simulator serves them, a module each."""
