"""Each law is a function that takes a source tree (or an app, or a database) and lists violations."""
