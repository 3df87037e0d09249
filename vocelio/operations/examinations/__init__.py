"""What the doctor looks at, by where the trouble would be."""
