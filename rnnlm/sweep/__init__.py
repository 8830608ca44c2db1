"""Many runs: from a command line to the plan, the processes that carry it out, and the table."""
