"""State that processes share: LMDB for viewers, mapped files for videos."""
