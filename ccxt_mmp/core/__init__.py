"""What the exchanges share, by topic; no module here names an exchange."""
