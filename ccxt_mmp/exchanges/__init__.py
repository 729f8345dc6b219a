"""One package an exchange, with the same modules in each, so that they can be read side by side."""
