"""How Jayway JsonPath reads an expression, told to jsonpath-ng: the one place that knows where their grammars differ.

The two agree on the tree of an expression far more than on its letters: what a quote, a blank, a backslash, a bare
word, a `=`, a `*` inside a name or a trailing bracket means. So the letters are read here, by Jayway's rules, and
jsonpath-ng gets a text in which nothing is left to disagree on: each name and each literal is a placeholder, each
blank that means nothing is gone. An expression that Jayway refuses, that it reads in a way nobody would expect, or that
is not known yet to be the same, is refused here with a reason and, where one can be told, an expression to write
instead.

Taken are:

    path       [ "$" | "@" ] segment*, or without the root and its dot: `ref`, `['ref']`, `[0]`
    segment    .name  .*  ['name']  ["name"]  ['name','name']  [0]  [-1]  [0,1]  [0:2]  [1:]  [:-1]  [*]  [?(condition)]
               ..name and all of these after `..`, unless Jayway's result depends on what it was asked before
               .function() and .function(argument,…) as the last one
               a dot may stand before any bracket
    condition  query, !query, !(condition), operand operator operand, joined by && and ||, grouped by parentheses
    operand    query, literal, array of literals such as ['a',1], /regular expression/flags
    query      a path that begins with @ or $; a bare $ query must be compared
    operator   ==  !=  ===  !==  <  <=  >  >=  =~  in  nin  contains  size  empty  subsetof  anyof  noneof
    literal    'text'  "text"  42  -1.5  1e3  true  false  null
    argument   "text", a number, a path without filters and functions

The rules are those of Jayway 2.9.0; 3.0.0 has the same. To take in a further class of expressions, let the readers
here accept it, give it a node in `hookwright.filters.nodes`, and extend the golden file, which holds Jayway's results.
"""

from hookwright.filters.grammar.cursor import CallText, ListLiteral, Refusal, Translation, Word
from hookwright.filters.grammar.paths import translate

__all__ = ["CallText", "ListLiteral", "Refusal", "Translation", "Word", "translate"]
