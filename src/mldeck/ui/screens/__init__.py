"""The places: each puts widgets together and fetches what they show."""
