"""Writing with a trained model: which token is drawn, when a text ends, and the search for one."""
