"""What matching does, one module per noun."""
