"""What lists of messages can be narrowed by."""
