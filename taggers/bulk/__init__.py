"""Documents in bulk: sources -> pieces -> chunks -> workers -> output, with a journal beside it.

One process finds where each document begins and ends (``sources``, ``pieces``) and gathers them into chunks, always the
same ones (``chunks``). Whoever has a model turns a chunk into bytes of the output (``tagging``), in this process or in
others (``workers``). The answers are written in order, and what is written is noted in a journal (``output``,
``journal``), from which the job goes on after a crash. Nothing here holds more than a few chunks, however much there
is.
"""
