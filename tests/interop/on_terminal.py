#!/usr/bin/env python3
"""Runs a command on a terminal of its own, and types.

    on_terminal.py LOG [QUESTION=ANSWER]... -- COMMAND...

Each QUESTION is waited for in what the command writes, one after the other; then the ANSWER is
typed. All that the terminal shows goes to LOG, what is typed included where the terminal echoes it.
SIGTERM, SIGINT and SIGUSR1 go on to the command, whose exit status is ours.
"""
import os
import pty
import select
import signal
import sys

split = sys.argv.index("--")
log_path, pairs, command = sys.argv[1], sys.argv[2:split], sys.argv[split + 1 :]
dialogue = [pair.rsplit("=", 1) for pair in pairs]

pid, master = pty.fork()
if pid == 0:
    os.execvp(command[0], command)

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
for number in PASSED_ON:
    signal.signal(number, lambda got, frame: os.kill(pid, got))

shown = b""
looked_at = 0
with open(log_path, "ab", buffering=0) as log:
    while True:
        try:
            ready, _, _ = select.select([master], [], [], 0.2)
        except InterruptedError:
            continue
        if ready:
            try:
                data = os.read(master, 4096)
            except OSError:
                break
            if not data:
                break
            log.write(data)
            shown += data
        if dialogue:
            question, answer = dialogue[0]
            at = shown.find(question.encode(), looked_at)
            if at >= 0:
                looked_at = at + len(question)
                dialogue.pop(0)
                os.write(master, answer.encode() + b"\n")
# The command is going; what comes now is too late for it.
for number in PASSED_ON:
    signal.signal(number, signal.SIG_IGN)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
