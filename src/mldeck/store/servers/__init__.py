"""All that is specific to databases on servers: drivers, connections, what differs in SQL, and how a change is detected."""
