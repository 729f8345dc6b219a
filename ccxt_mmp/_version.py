"""The version, which setup.cfg and the package read from here."""

__version__ = '0.1.0'
