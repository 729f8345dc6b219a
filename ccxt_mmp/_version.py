"""The version, which setup.cfg and the package read from here."""

__version__ = '0.2.0'
