{{/*
What each role may do; examples/rights says the same, and a test compares. The rules of one role are for the namespaces
where it works: in a ClusterRole, or in a Role in each. "own" are those for Hookwright's own namespace.
*/}}
{{- define "hookwright.rules.receiver" -}}
- apiGroups: [hookwright.dev]
  resources: [webhooks, buildtriggers]
  verbs: [list, watch]
- apiGroups: [hookwright.dev]
  resources: [webhooks/status, buildtriggers/status]
  verbs: [patch]
{{ include "hookwright.rules.shared" . }}
{{- end -}}

{{- define "hookwright.rules.operator" -}}
- apiGroups: [hookwright.dev]
  resources: [webhooks, buildtriggers]
  verbs: [list, watch]
- apiGroups: [hookwright.dev]
  resources: [webhooks/status, buildtriggers/status]
  verbs: [patch]
{{ include "hookwright.rules.shared" . }}
# To say that the ServiceAccount of builds does not exist.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get]
# The builds, for the status of BuildTriggers and their history limits.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end -}}

{{- define "hookwright.rules.shared" -}}
# To recognise a build that is there already.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get]
# The secrets that Webhooks name, read when a delivery comes.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get{{ if .Values.rights.watchSecrets }}, list, watch{{ end }}]
{{- if .Values.rights.cronJobs }}
- apiGroups: [batch]
  resources: [cronjobs]
  verbs: [list, watch]
{{- end }}
{{- end -}}

{{/* The root key is read by both. */}}
{{- define "hookwright.rules.receiver.own" -}}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [hookwright-root-key]
  verbs: [get]
{{- end -}}

{{/* Rights to create cannot be given for a name. */}}
{{- define "hookwright.rules.operator.own" -}}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [hookwright-root-key]
  verbs: [get]
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [hookwright-operator]
  verbs: [get, patch]
{{- end -}}

{{/* The ServiceAccounts of all modes, as subjects of a binding. Takes dict: root, and operates: true for those that reconcile. */}}
{{- define "hookwright.subjects" -}}
{{- $root := .root -}}
{{- range $index, $account := include "hookwright.accounts" . | fromJsonArray -}}
{{- if $index }}{{ "\n" }}{{ end -}}
- kind: ServiceAccount
  name: {{ $account | quote }}
  namespace: {{ $root.Release.Namespace | quote }}
{{- end -}}
{{- end -}}

{{/* That of a role that runs, as the subject of a binding. Takes dict: root, role. */}}
{{- define "hookwright.subject" -}}
- kind: ServiceAccount
  name: {{ include "hookwright.serviceAccountName" . | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
{{- end -}}
