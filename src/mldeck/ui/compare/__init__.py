"""The place Compare."""
