"""The subcommands of ``taiyi-rag``, a module for each family. What they run is imported when they run."""
