"""Tang verse: the readings of characters, the rules for tones and rhymes, and a poem's score."""
