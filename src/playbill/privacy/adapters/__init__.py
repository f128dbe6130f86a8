"""Key stores that outlive the process."""
