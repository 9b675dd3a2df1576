{{/*
The hexadecimal digits of an address, 8 of IPv4 and 32 of IPv6; nothing if it is no address. In IPv6 the last four
bytes may be written as IPv4, and one :: stands for the zeros.
*/}}
{{- define "hookwright.addressDigits" -}}
{{- $v4 := "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}" -}}
{{- if regexMatch (printf "^%s$" $v4) . -}}
{{- range splitList "." . }}{{ printf "%02x" (int64 .) }}{{ end -}}
{{- else if regexMatch (printf "^[0-9A-Fa-f:]*:([0-9A-Fa-f]*|%s)$" $v4) . -}}
{{- $text := . -}}
{{- with regexFind "[^:]*\\..*" . -}}
{{- $digits := include "hookwright.addressDigits" . -}}
{{- $text = printf "%s%s:%s" (trimSuffix . $text) (substr 0 4 $digits) (substr 4 8 $digits) -}}
{{- end -}}
{{- $halves := list -}}
{{- $digits := 0 -}}
{{- range $half := splitList "::" $text -}}
{{- $filled := "" -}}
{{- range $group := ternary list (splitList ":" $half) (eq $half "") -}}
{{- if regexMatch "^[0-9A-Fa-f]{1,4}$" $group -}}
{{- $filled = printf "%s%s%s" $filled (repeat (sub 4 (len $group) | int) "0") (lower $group) -}}
{{- else -}}
{{- $digits = 99 -}}
{{- end -}}
{{- end -}}
{{- $digits = add $digits (len $filled) -}}
{{- $halves = append $halves $filled -}}
{{- end -}}
{{- if and (eq (len $halves) 1) (eq (int $digits) 32) -}}
{{- first $halves -}}
{{- else if and (eq (len $halves) 2) (lt (int $digits) 32) -}}
{{- join (repeat (sub 32 $digits | int) "0") $halves -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What is wrong with a range, if it is: the words that follow it. An address alone is a range of one. */}}
{{- define "hookwright.rangeProblem" -}}
{{- $parts := splitList "/" . -}}
{{- $digits := include "hookwright.addressDigits" (first $parts) -}}
{{- $bits := mul 4 (len $digits) -}}
{{- $prefix := $bits -}}
{{- if gt (len $parts) 1 -}}
{{- $prefix = ternary (index $parts 1 | int64) 129 (regexMatch "^(0|[1-9][0-9]{0,2})$" (index $parts 1)) -}}
{{- end -}}
{{- if or (not $digits) (gt (len $parts) 2) (gt $prefix $bits) -}}
is no range (CIDR); give one such as 10.0.0.0/8 or 2001:db8::/32
{{- else if include "hookwright.hasHostBits" (dict "digits" $digits "prefix" $prefix) -}}
has bits set behind its prefix; give a range by its first address, such as 10.0.0.0/8
{{- end -}}
{{- end -}}

{{/* As hookwright.rangeProblem, of a range whose addresses are believed. */}}
{{- define "hookwright.trustProblem" -}}
{{- $problem := include "hookwright.rangeProblem" . -}}
{{- $digits := include "hookwright.addressDigits" (splitList "/" . | first) -}}
{{- if $problem -}}
{{- $problem -}}
{{- else if or (hasSuffix "/0" .) (and (hasSuffix "/96" .) (hasPrefix "00000000000000000000ffff" $digits)) -}}
would believe whatever anybody says; name the ranges of your proxies
{{- end -}}
{{- end -}}

{{/* Something if a bit is set behind the prefix. Takes dict: digits, prefix. */}}
{{- define "hookwright.hasHostBits" -}}
{{- $rest := substr (div .prefix 4 | int) (len .digits) .digits -}}
{{- $parted := index (list "0" "[08]" "[048c]" "[02468ace]") (mod .prefix 4 | int) -}}
{{- if not (regexMatch (printf "^(%s0*)?$" $parted) $rest) }}yes{{ end -}}
{{- end -}}
