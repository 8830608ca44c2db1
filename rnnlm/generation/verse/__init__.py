"""The prosody of Tang verse: readings, the rules for tones and rhymes, and a poem's score."""
