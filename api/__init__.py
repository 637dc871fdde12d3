"""The front doors: HTTP, the web page, the command line."""
