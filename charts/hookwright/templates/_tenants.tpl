{{/* What teams allow in their namespaces, as `hookwright grant` prints it. Takes the root. */}}
{{- define "hookwright.tenants" -}}
{{- $root := . }}
{{- $resources := dict "jobs" (dict "apiGroups" (list "batch") "resources" (list "jobs") "verbs" (list "create" "delete")) }}
{{- $kept := dict }}
{{- range .Values.tenants }}
---
# Hookwright may act as ServiceAccount {{ .serviceAccount }} of namespace {{ .namespace }}, and as no other.
# It can then do whatever that account may: give the account no more than its builds need.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: hookwright-acts-as-{{ .serviceAccount }}
  namespace: {{ .namespace | quote }}
  labels:
    {{- include "hookwright.labels" $root | nindent 4 }}
rules:
  - apiGroups: [""]
    resources: [serviceaccounts]
    resourceNames: [{{ .serviceAccount | quote }}]
    verbs: [impersonate]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  # Named by who is let in: a grant to another Hookwright must not take this one's place.
  name: {{ $root.Release.Namespace }}-acts-as-{{ .serviceAccount }}
  namespace: {{ .namespace | quote }}
  labels:
    {{- include "hookwright.labels" $root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: hookwright-acts-as-{{ .serviceAccount }}
subjects:
  {{- include "hookwright.subjects" (dict "root" $root "operates" false) | nindent 2 }}
{{- if not .impersonateOnly }}
---
# Builds are created as ServiceAccount {{ .serviceAccount }}, so it is that account which needs the right to.
# It deletes those that are beyond a BuildTrigger's history limits, too.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: hookwright-builds-as-{{ .serviceAccount }}
  namespace: {{ .namespace | quote }}
  labels:
    {{- include "hookwright.labels" $root | nindent 4 }}
rules:
  {{- range default (list "jobs") .builds }}
  - {{- toYaml (get $resources .) | nindent 4 }}
  {{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: hookwright-builds-as-{{ .serviceAccount }}
  namespace: {{ .namespace | quote }}
  labels:
    {{- include "hookwright.labels" $root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: hookwright-builds-as-{{ .serviceAccount }}
subjects:
  - kind: ServiceAccount
    name: {{ .serviceAccount | quote }}
    namespace: {{ .namespace | quote }}
{{- end }}
{{- if and (not .impersonateOnly) (ne .secrets false) (not (hasKey $kept .namespace)) }}
{{- $_ := set $kept .namespace true }}
---
# Hookwright's operator makes and replaces the secret of each BuildTrigger with a provider, in a Secret. RBAC cannot say
# which: this is the right to change every Secret of the namespace, and to make tokens of its ServiceAccounts.
# admissionPolicy.enabled narrows it; secrets: false leaves it out.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: hookwright-keeps-secrets
  namespace: {{ .namespace | quote }}
  labels:
    {{- include "hookwright.labels" $root | nindent 4 }}
rules:
  - apiGroups: [""]
    resources: [secrets]
    verbs: [create, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $root.Release.Namespace }}-keeps-secrets
  namespace: {{ .namespace | quote }}
  labels:
    {{- include "hookwright.labels" $root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: hookwright-keeps-secrets
subjects:
  {{- include "hookwright.subjects" (dict "root" $root "operates" true) | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
What stands in their way in a cluster: Helm takes over nothing that was granted by hand, and says of one object alone that it
does not. Where no cluster is asked, lookup finds nothing.
*/}}
{{- define "hookwright.problems.granted" -}}
{{- $root := . -}}
{{- $byHand := dict }}
{{- range splitList "\n---\n" (include "hookwright.tenants" .) }}
{{- with fromYaml . }}
{{- $metadata := .metadata }}
{{- $found := lookup .apiVersion .kind $metadata.namespace $metadata.name }}
{{- $owner := include "hookwright.owner" (dict "root" $root "found" $found) }}
{{- if hasPrefix "release " $owner }}
- tenants: {{ .kind }} {{ $metadata.name }} of namespace {{ $metadata.namespace }} is of {{ $owner }}; leave the tenant out here, or there
{{- else if or $owner (and $found (ne (get (default dict $found.metadata.labels) "app.kubernetes.io/managed-by") "Helm")) }}
{{- $names := append (get $byHand $metadata.namespace | default list) (printf "%s/%s" (lower .kind) $metadata.name) }}
{{- $_ := set $byHand $metadata.namespace $names }}
{{- end }}
{{- end }}
{{- end }}
{{- range $namespace, $names := $byHand }}
{{- $objects := printf "--overwrite --namespace %s %s" $namespace (uniq $names | join " ") }}
- tenants: in namespace {{ $namespace }} was granted by hand, or by something else, what this release would make; leave its tenants out, or hand it over to this release:
    kubectl annotate {{ $objects }} meta.helm.sh/release-name={{ $root.Release.Name }} meta.helm.sh/release-namespace={{ $root.Release.Namespace }}
    kubectl label {{ $objects }} app.kubernetes.io/managed-by=Helm
{{- end }}
{{- end -}}
