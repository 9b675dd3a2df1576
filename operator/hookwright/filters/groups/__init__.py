"""Filter groups of BuildTriggers: which of the things that happen at a Git host start a build. Pure.

    compile_filters(branch_filter, groups, source)   once per change of the object; refuses with InvalidInputException
    decide(filters, event, facts, budget)            Start, Ignore with its reason, or Need: what the provider must say
    explain(filters, event, facts, budget)           the same, with what every filter made of the event
      fields                                         what a filter looks at, and for which events there is such a thing
      sources                                        what payloads never say

The rules are AWS CodeBuild's: a group passes if each of its filters does, and one group is enough. Patterns are looked
for in the text, so that `main` also finds `maintenance`; `^` and `$` hold them to its ends.

AWS does not say which regular expressions it takes; they are taken to be Java's, and `filters.patterns` serves them. It
was made for the paths of Webhooks, and cannot go back, whatever the text. A library that goes back (`regex`) would need
a limit of time instead: then a busy machine decides differently from an idle one, and a delivery that is looked at
again from how it was looked at first. What is spent here is counted, whatever the load. Only close to the budget does
it matter which texts came before: what an automaton has learned of them is not paid for twice.
"""

from hookwright.filters.groups.compiling import INVALID_INPUT, TriggerFilters, compile_filters
from hookwright.filters.groups.decisions import Decision, Ignore, Need, Start, decide
from hookwright.filters.groups.explanations import BranchResult, Explanation, FilterResult, GroupResult, explain
from hookwright.filters.groups.fields import NO_FACTS, Facts, GroupFilter
from hookwright.filters.groups.sources import Source
from hookwright.scm import FilterType

__all__ = [
    "INVALID_INPUT",
    "NO_FACTS",
    "BranchResult",
    "Decision",
    "Explanation",
    "Facts",
    "FilterResult",
    "FilterType",
    "GroupFilter",
    "GroupResult",
    "Ignore",
    "Need",
    "Source",
    "Start",
    "TriggerFilters",
    "compile_filters",
    "decide",
    "explain",
]
