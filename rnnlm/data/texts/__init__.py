"""Files to cleaned texts: where they come from, how they are decoded, cleaned and divided."""
