"""Train one run, or with `-m` a sweep of many: `python run.py -m model=rnn,lstm,gru`."""

import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    # Imports are here and not at the top: the processes that segment text import this file, too,
    # and need none of them.
    if sys.platform != "win32":
        # Ctrl-C and SIGTERM wait until their handlers are in place.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))

    from rnnlm.messages.standard_streams import make_streams_unbreakable
    from rnnlm.signals.ctrl_c import interruption

    make_streams_unbreakable()
    interruption.install()
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    from rnnlm.sweep.launchers import process_server

    # Before the large imports, which both processes then do at the same time.
    process_server.start()

    from rnnlm.sweep.command_line import main
    from rnnlm.sweep.worker import run_one

    status = main(run_one, Path(__file__).parent / "conf", "config")
    # Python restores its own handlers as it ends, but not for a signal that is ignored.
    interruption.ignore_signals()
    sys.exit(status)
