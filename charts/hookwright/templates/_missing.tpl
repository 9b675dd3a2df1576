{{/* What must have a value, which null takes away. Where null means "none", as in resources, it may be given. */}}
{{- define "hookwright.needed" -}}
mode clusterName listenAddress image.pullPolicy
settings.targetPatience settings.webhookQuota settings.concurrentStarts settings.addressLimit settings.bodyMemory
settings.drain settings.logFormat settings.logLevel
receiver.replicas receiver.serviceAccount.create receiver.journal.size receiver.journal.accessMode
receiver.service.type receiver.service.port receiver.podDisruptionBudget.enabled receiver.preStopSeconds
receiver.updateStrategy.type
operator.replicas operator.serviceAccount.create operator.journal.size operator.journal.accessMode
operator.podDisruptionBudget.enabled operator.preStopSeconds operator.updateStrategy.type
single.serviceAccount.create single.journal.size single.journal.accessMode single.preStopSeconds
single.updateStrategy.type
rights.create rights.watchSecrets rights.cronJobs rights.aggregate rights.checkOverlap
admissionPolicy.enabled crds.install crds.keep ingress.enabled httpRoute.enabled
networkPolicy.enabled networkPolicy.apiServer.ports
metrics.serviceMonitor.enabled metrics.serviceMonitor.interval metrics.prometheusRule.enabled metrics.dashboard.enabled
{{- end -}}

{{/* What of it is missing, one line each; of a map that is missing only the map. */}}
{{- define "hookwright.problems.missing" -}}
{{- $root := . -}}
{{- $told := dict -}}
{{- range $name := regexSplit "\\s+" (include "hookwright.needed" .) -1 }}
{{- $found := $root.Values }}
{{- $path := list }}
{{- range $part := splitList "." $name }}
{{- if not (kindIs "invalid" $found) }}
{{- $path = append $path $part }}
{{- $found = index $found $part }}
{{- end }}
{{- end }}
{{- $where := join "." $path }}
{{- if and (kindIs "invalid" $found) (not (hasKey $told $where)) }}
{{- $_ := set $told $where true }}
- {{ $where }}: its default is gone, by null or by helm upgrade --reuse-values; give a value, or leave it out (and upgrade with --reset-then-reuse-values)
{{- end }}
{{- end }}
{{- end -}}
