"""What the places are made of. A widget gets data from above and says what happened by messages; it imports no screen."""
