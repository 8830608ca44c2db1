"""Small runs whose every number is stored: a change that should change none is checked by them."""
