"""Open literature, fetched from the institutions that publish it into a folder that ``ingest`` reads."""
