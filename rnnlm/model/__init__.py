"""The recurrent language model in plain torch: features, cells and the output layer."""
