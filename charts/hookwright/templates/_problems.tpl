{{/*
What in the values cannot be, one line each: the value, what is wrong, what to do. What the schema can tell is told
there.
*/}}
{{- define "hookwright.problems" -}}
{{- $root := . -}}
{{- $url := .Values.publicUrl -}}
{{- if not $url }}
- publicUrl: it is missing; give the address under which senders reach the receiver, such as https://hooks.example.com
{{- else if regexMatch "[?#]" $url }}
- publicUrl: {{ $url }} has a ? or #, behind which no path can be added; give it without, such as https://hooks.example.com
{{- else if not (regexMatch "^https?://([A-Za-z0-9_-][A-Za-z0-9._-]*|\\[[0-9A-Fa-f:.]+\\])(:[0-9]+)?(/[^\\s\\v\\x1c-\\x1f\\x85\\p{Z}]*)?$" $url) }}
- publicUrl: {{ $url }} is no http or https URL; give one such as https://hooks.example.com
{{- else if ne 32 (include "hookwright.addressDigits" (regexFind "^https?://\\[[^]]*" $url | trimPrefix "https://[" | trimPrefix "http://[" | default "::") | len) }}
- publicUrl: the host of {{ $url }} is no IPv6 address; give one such as https://[2001:db8::1]
{{- else if not (include "hookwright.isPort" (regexFind "^https?://[^/]*:[0-9]+(/|$)" $url | regexFind "[0-9]+/?$" | trimSuffix "/" | default "1")) }}
- publicUrl: the port of {{ $url }} is none; give one from 1 to 65535, or leave it out
{{- else if regexMatch "^https?://.*//|/\\.\\.?(/|$)" (regexReplaceAll "(?i)%2f" (regexReplaceAll "(?i)%2e" (include "hookwright.publicUrl" .) ".") "/") }}
- publicUrl: the path of {{ $url }} has a //, /./ or /../, of which senders make other paths; give it without
{{- end }}
{{- if not .Values.image.repository }}
- image.repository: it is missing; build the image of operator/Dockerfile, push it, and give its name without a tag
{{- end }}
{{- if regexMatch ":[^/]*$" (default "" .Values.image.repository) }}
- image.repository: {{ .Values.image.repository }} has a tag; give it in image.tag
{{- end }}
{{- if and (eq .Values.mode "single") (hasKey .Values.single "replicas") (ne (int64 .Values.single.replicas) 1) }}
- single.replicas: {{ .Values.single.replicas }} pods cannot be in mode single, which is one pod; set mode: split and receiver.replicas
{{- end }}
{{- range $range := .Values.trustedProxies }}
{{- with include "hookwright.trustProblem" $range }}
- trustedProxies: {{ $range }} {{ . }}
{{- end }}
{{- end }}
{{- range $range := .Values.networkPolicy.apiServer.cidrs }}
{{- with include "hookwright.rangeProblem" $range }}
- networkPolicy.apiServer.cidrs: {{ $range }} {{ . }}
{{- end }}
{{- end }}
{{- range $range := .Values.receiver.service.loadBalancerSourceRanges }}
{{- with include "hookwright.rangeProblem" $range }}
- receiver.service.loadBalancerSourceRanges: {{ $range }} {{ . }}
{{- end }}
{{- end }}
{{- if not (include "hookwright.addressDigits" .Values.listenAddress) }}
- listenAddress: {{ .Values.listenAddress }} is no address; give 0.0.0.0, or :: where pods have IPv6
{{- end }}
{{- $fullname := include "hookwright.fullname" . }}
{{- if not (regexMatch "^[a-z][-a-z0-9]*$" $fullname) }}
- fullnameOverride: names would begin with {{ $fullname }}, by the release's name or nameOverride, and no Service can be called so; give small letters, digits and -, a letter first
{{- end }}
{{- include "hookwright.problems.pods" . }}
{{- include "hookwright.problems.tenants" . }}
{{- include "hookwright.problems.ways" . }}
{{- include "hookwright.problems.cluster" . }}
{{- end -}}

{{/* Something if digits are a port. Zeros before them would have them read as octal. */}}
{{- define "hookwright.isPort" -}}
{{- $number := regexFind "[1-9][0-9]*$" . -}}
{{- if and (ge (len $number) 1) (le (len $number) 5) (lt (int64 $number) 65536) }}yes{{ end -}}
{{- end -}}

{{/* How many MiB a quantity of memory is; nothing if it is not said in one of the usual units. */}}
{{- define "hookwright.mebibytes" -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 -}}
{{- $text := kindIs "float64" . | ternary (int64 . | toString) (toString .) -}}
{{- if regexMatch "^[0-9]+([kMG]|[KMG]i)?$" $text -}}
{{- div (mul (regexFind "^[0-9]+" $text | int64) (get $units (regexFind "[A-Za-z]*$" $text))) 1048576 -}}
{{- end -}}
{{- end -}}

{{- define "hookwright.problems.pods" -}}
{{- $root := . -}}
{{- $accounts := dict }}
{{- range $role := include "hookwright.roles" . | fromJsonArray }}
{{- $values := index $root.Values $role.component }}
{{- if $values.serviceAccount.create }}
{{- $account := include "hookwright.serviceAccountName" (dict "root" $root "role" $role) }}
{{- with get $accounts $account }}
- {{ $role.component }}.serviceAccount.name: {{ $account }} is made for the {{ . }} already; give another name, or set {{ $role.component }}.serviceAccount.create: false
{{- end }}
{{- $_ := set $accounts $account $role.component }}
{{- end }}
{{- $least := include "hookwright.leastGrace" (dict "root" $root "values" $values) | int64 }}
{{- range $values.extraEnv }}
{{- if hasPrefix "HOOKWRIGHT_" .name }}
- {{ $role.component }}.extraEnv: {{ .name }} is a setting, which the chart must know of; set it by its value (operator/docs/values.md)
{{- end }}
{{- end }}
{{- with $values.terminationGracePeriodSeconds }}
{{- if lt (int64 .) $least }}
- {{ $role.component }}.terminationGracePeriodSeconds: in {{ . }} seconds a pod cannot end in peace; it needs preStopSeconds + settings.drain + 25, that is {{ $least }}, or leave it out
{{- end }}
{{- end }}
{{- with $values.podDisruptionBudget }}
{{- $min := include "hookwright.part" .minAvailable }}
{{- $max := include "hookwright.part" .maxUnavailable }}
{{- if .enabled }}
{{- if and (ne $min "") (ne $max "") }}
- {{ $role.component }}.podDisruptionBudget: minAvailable and maxUnavailable are both given; give one
{{- else if ge (include "hookwright.least" (dict "part" $min "of" $values.replicas) | int64) (int64 $values.replicas) }}
- {{ $role.component }}.podDisruptionBudget.minAvailable: {{ .minAvailable }} of {{ $values.replicas }} pods must stay, so that no node could ever be drained; give less than {{ $role.component }}.replicas
{{- else if has $max (list "0" "0%") }}
- {{ $role.component }}.podDisruptionBudget.maxUnavailable: none may be away, so that no node could ever be drained; give 1 or more
{{- end }}
{{- end }}
{{- end }}
{{- $resources := default dict $values.resources }}
{{- $limit := include "hookwright.mebibytes" (default dict $resources.limits).memory }}
{{- $request := include "hookwright.mebibytes" (default dict $resources.requests).memory }}
{{- if and $limit $request (gt (int64 $request) (int64 $limit)) }}
- {{ $role.component }}.resources.requests.memory: {{ $resources.requests.memory }} is more than the limit, {{ $resources.limits.memory }}, so that no pod could be made; give no more than that
{{- end }}
{{- if $role.receives }}
{{- $needed := add $root.Values.settings.bodyMemory 128 }}
{{- if and $limit (lt (int64 $limit) (int64 $needed)) }}
- {{ $role.component }}.resources.limits.memory: {{ $resources.limits.memory }} is too little for settings.bodyMemory, {{ $root.Values.settings.bodyMemory }} MiB, and 128 MiB for all else; give {{ $needed }}Mi or more
{{- end }}
{{- $pattern := printf "^journal-%s-([0-9]+)$" $role.name }}
{{- range $claim := $root.Values.adoptJournals }}
{{- if regexMatch $pattern $claim }}
{{- $ordinal := regexReplaceAll $pattern $claim "${1}" | int64 }}
{{- if lt $ordinal (int64 (default 1 $values.replicas)) }}
- adoptJournals: {{ $claim }} is the volume of pod {{ $role.name }}-{{ $ordinal }}, which works it off itself; name volumes of pods that are gone only
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A part of the pods as text, which is empty if there is none. 0 is one. */}}
{{- define "hookwright.part" -}}
{{- if not (kindIs "invalid" .) }}{{ . }}{{ end -}}
{{- end -}}

{{/* How many pods a part is, rounded up as Kubernetes does. Takes dict: part (a number, a percentage or nothing), of. */}}
{{- define "hookwright.least" -}}
{{- if hasSuffix "%" .part -}}
{{- div (add (mul (trimSuffix "%" .part | int64) (int64 .of)) 99) 100 -}}
{{- else -}}
{{- int64 .part -}}
{{- end -}}
{{- end -}}

{{- define "hookwright.problems.tenants" -}}
{{- $root := . -}}
{{- if and .Values.tenants (not .Values.rights.create) }}
- tenants: rights.create is false, so that no rights are made; leave tenants out, or set rights.create: true
{{- end }}
{{- $seen := dict }}
{{- range .Values.tenants }}
{{- if eq .namespace $root.Release.Namespace }}
- tenants: namespace {{ .namespace }} is Hookwright's own, where whoever may write a BuildTrigger would have the root key; name another one, and have builds run there
{{- end }}
{{- $key := printf "%s/%s" .namespace .serviceAccount }}
{{- if hasKey $seen $key }}
- tenants: ServiceAccount {{ .serviceAccount }} of namespace {{ .namespace }} is there twice; name it once
{{- end }}
{{- $_ := set $seen $key true }}
{{- if and $root.Values.watchNamespaces (not (has .namespace $root.Values.watchNamespaces)) }}
- tenants: namespace {{ .namespace }} is not in watchNamespaces, so that nothing would start there; add it there, or leave the tenant out
{{- end }}
{{- end }}
{{- end -}}

{{- define "hookwright.problems.ways" -}}
{{- $host := include "hookwright.publicHost" . -}}
{{- if .Values.ingress.enabled }}
{{- if and .Values.ingress.tlsSecretName (hasPrefix "http:" (include "hookwright.publicUrl" .)) }}
- ingress.tlsSecretName: publicUrl is {{ .Values.publicUrl }}, so that senders do without TLS; make publicUrl an https one, or leave the Secret out
{{- end }}
{{- if and .Values.ingress.host (ne .Values.ingress.host $host) }}
- ingress.host: {{ .Values.ingress.host }} is not {{ $host }}, the host of publicUrl, where senders are told to go; leave it out, or change publicUrl
{{- end }}
{{- end }}
{{- if or .Values.ingress.enabled .Values.httpRoute.enabled }}
{{- if regexMatch "^([0-9.]+|\\[.*\\])$" $host }}
- publicUrl: its host {{ $host }} is an address, by which neither Ingress nor HTTPRoute can choose; give a name, or a Service of type LoadBalancer
{{- else if not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$" $host) }}
- publicUrl: its host {{ $host }} is no name that an Ingress or HTTPRoute takes; give one of letters, digits, - and .
{{- end }}
{{- $path := include "hookwright.publicPath" . }}
{{- if or (regexMatch "(?i)%2f" $path) (not (regexMatch "^([-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*$" $path)) }}
- publicUrl: the path of {{ .Values.publicUrl }} has characters that an Ingress or HTTPRoute does not take; give one without
{{- end }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
- httpRoute.parentRefs: it is empty, so that no Gateway would take the route; name one, such as [{name: public, namespace: gateways}]
{{- end }}
{{- if and .Values.receiver.service.nodePort (eq .Values.receiver.service.type "ClusterIP") }}
- receiver.service.nodePort: a Service of type ClusterIP has none; leave it out, or set receiver.service.type: NodePort
{{- end }}
{{- if ne .Values.receiver.service.type "LoadBalancer" }}
{{- if or .Values.receiver.service.loadBalancerClass .Values.receiver.service.loadBalancerSourceRanges }}
- receiver.service.loadBalancerClass, loadBalancerSourceRanges: a Service of type {{ .Values.receiver.service.type }} has none; leave them out, or set receiver.service.type: LoadBalancer
{{- end }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.adminNamespaces) (not .Values.networkPolicy.adminFrom) }}
- networkPolicy.adminNamespaces: it is empty, so that metrics.serviceMonitor would find a closed door; name Prometheus's namespace
{{- end }}
{{- end -}}

{{/*
What only a cluster can tell. Where none is asked (helm template, --dry-run=client), it has no kinds of its own, and
lookup finds nothing.
*/}}
{{- define "hookwright.problems.cluster" -}}
{{- $root := . -}}
{{- $kinds := .Capabilities.APIVersions -}}
{{- if $kinds.Has "v1/Pod" }}
{{- range $what := list
  (list "metrics.serviceMonitor.enabled" .Values.metrics.serviceMonitor.enabled "monitoring.coreos.com/v1/ServiceMonitor")
  (list "metrics.prometheusRule.enabled" .Values.metrics.prometheusRule.enabled "monitoring.coreos.com/v1/PrometheusRule")
  (list "httpRoute.enabled" .Values.httpRoute.enabled "gateway.networking.k8s.io/v1/HTTPRoute") }}
{{- if and (index $what 1) (not ($kinds.Has (index $what 2))) }}
- {{ index $what 0 }}: this cluster has no {{ index $what 2 }}; install its CRDs first, or set {{ index $what 0 }}: false
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.rights.checkOverlap }}
{{- include "hookwright.problems.deserted" . }}
{{- end }}
{{- if and .Values.rights.create .Values.rights.checkOverlap }}
{{- include "hookwright.problems.granted" . }}
{{- range $name := list "hookwright-receiver" "hookwright-operator" }}
{{- with include "hookwright.owner" (dict "root" $root "found" (lookup "rbac.authorization.k8s.io/v1" "ClusterRole" "" $name)) }}
- watchNamespaces: ClusterRole {{ $name }} is of {{ . }}, which serves all namespaces; uninstall that one, or give it watchNamespaces that are not this one's
{{- end }}
{{- with include "hookwright.owner" (dict "root" $root "found" (lookup "rbac.authorization.k8s.io/v1" "Role" $root.Release.Namespace (printf "%s-own" $name))) }}
- Release.Namespace: Role {{ $name }}-own of namespace {{ $root.Release.Namespace }} is of {{ . }}, which lives there; install into another namespace
{{- end }}
{{- range $namespace := $root.Values.watchNamespaces }}
{{- with include "hookwright.owner" (dict "root" $root "found" (lookup "rbac.authorization.k8s.io/v1" "Role" $namespace $name)) }}
- watchNamespaces: Role {{ $name }} of namespace {{ $namespace }} is of {{ . }}, which serves {{ $namespace }}; leave {{ $namespace }} out here, or there
{{- end }}
{{- end }}
{{- end }}
{{- if not .Values.watchNamespaces }}
{{- range (lookup "rbac.authorization.k8s.io/v1" "Role" "" "").items }}
{{- if eq .metadata.name "hookwright-operator" }}
{{- with include "hookwright.owner" (dict "root" $root "found" .) }}
- watchNamespaces: it is empty, which means all namespaces, but {{ . }} serves some of them; give watchNamespaces that are not that one's, or uninstall it
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Whose an object is, if it is another's. Takes dict: root, found. */}}
{{- define "hookwright.owner" -}}
{{- if .found -}}
{{- $annotations := default dict .found.metadata.annotations -}}
{{- $release := get $annotations "meta.helm.sh/release-name" -}}
{{- $namespace := get $annotations "meta.helm.sh/release-namespace" -}}
{{- if not $release -}}
somebody who made it without Helm
{{- else if not (and (eq $release .root.Release.Name) (eq $namespace .root.Release.Namespace)) -}}
release {{ $release }} in namespace {{ $namespace }}
{{- end -}}
{{- end -}}
{{- end -}}
