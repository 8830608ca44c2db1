"""Tables of records, and the formats in which they are written."""
