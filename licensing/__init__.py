"""The licensing rules and use cases: no input or output, no clock and no chance of their own."""
