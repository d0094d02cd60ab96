"""What the labs of perf/ share: namespaces, processes, CPU accounting, results and pictures."""
