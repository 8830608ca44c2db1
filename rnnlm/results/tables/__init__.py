"""Tables made of records, and the formats that they are written in."""
