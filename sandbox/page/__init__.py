"""The browser page: the Discord people know, served by the stand-in, acting through the same people."""
