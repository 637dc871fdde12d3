"""The core: values, SQL, models, indexes, and the way from a question to a checked answer."""
