"""What is wrong with objects in files, as far as no cluster is needed to say so. Pure.

The checks are the operator's own (`objects`); what is added is that all problems of an object are found and not only
the first (`mending`), and notes on what could not be checked.
"""
