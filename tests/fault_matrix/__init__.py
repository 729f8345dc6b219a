"""What each method does when something goes wrong: every fault of every request, in all flavours, on the simulator.

``python -m tests.fault_matrix`` observes it and writes docs/faults.md.
"""
