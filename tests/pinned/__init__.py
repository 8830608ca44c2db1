"""Small runs whose every number is kept, so that a change which should change none is seen to."""
