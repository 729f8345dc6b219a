"""Exchange objects that watch, quote and cancel while their websockets break: each trip and each thaw is told once.

No MMP order goes out in a freeze that its object knows of, and nothing is left at the end.
"""
