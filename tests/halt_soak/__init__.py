"""Processes that quote as fast as they can while another one halts and resumes them.

After ``halt_mmp`` has returned no MMP order rests, and none is accepted until ``resume_mmp``.
"""
