"""Many runs: from a command line to the plan, the processes that carry it out, and the table.

A command passes through `command_line` → `sweep` → `plan` → `launch` → a launcher of `launchers`,
which starts a process for each run → `worker` → `rnnlm/runs/run.py`.
"""
