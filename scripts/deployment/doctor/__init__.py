"""What undoes the design in a deployment, read back through AWS's own interfaces. A file for each
part of it; each check is a function that yields what it finds."""
