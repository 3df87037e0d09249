"""Do-Not-Call: registries, lists, the verdict on a number, scrubbing, evidence. Imports contacts and the kernel.

Open services/verdict.py first: the one function that decides. models/registry.py holds the store of the national
registries, rules/ the law as dated data, formats/ and sources/ the plug-ins.
"""
