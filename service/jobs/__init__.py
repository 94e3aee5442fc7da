"""Jobs: documents in bulk, tagged in the background; durable, with progress, resumed after a crash.

A job is one row in a database and one folder. A server claims it, tags it chunk by chunk, and for each chunk first
writes a file and then, in one transaction, lists that file and moves the job's place in its input. The transaction asks
for the claim, so whoever crashes when, each chunk counts exactly once.
"""
