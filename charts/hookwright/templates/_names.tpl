{{/* The beginning of names: as Helm's own charts have it, so that release hookwright gives hookwright. */}}
{{- define "hookwright.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels that never change: immutable fields hold them. Takes dict: root, component. */}}
{{- define "hookwright.selector" -}}
app.kubernetes.io/name: hookwright
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of everything else. Takes the root. */}}
{{- define "hookwright.labels" -}}
app.kubernetes.io/name: hookwright
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The same, over others of the user's. Takes dict: root, labels. */}}
{{- define "hookwright.labelsWith" -}}
{{- mergeOverwrite (deepCopy (default dict .labels)) (include "hookwright.labels" .root | fromYaml) | toYaml -}}
{{- end -}}

{{/*
The roles of all modes, as JSON: mode, component (also the name of its values), the command, the StatefulSet's name, whether
it takes deliveries and whether it reconciles.
*/}}
{{- define "hookwright.allRoles" -}}
{{- $fullname := include "hookwright.fullname" . -}}
{{- list
  (dict "mode" "split" "component" "receiver" "command" "receiver" "name" (printf "%s-receiver" $fullname) "receives" true "operates" false)
  (dict "mode" "split" "component" "operator" "command" "operator" "name" (printf "%s-operator" $fullname) "receives" false "operates" true)
  (dict "mode" "single" "component" "single" "command" "run" "name" $fullname "receives" true "operates" true)
  | toJson -}}
{{- end -}}

{{/* Those that run. */}}
{{- define "hookwright.roles" -}}
{{- $roles := list -}}
{{- range $role := include "hookwright.allRoles" . | fromJsonArray -}}
{{- if eq $role.mode $.Values.mode -}}
{{- $roles = append $roles $role -}}
{{- end -}}
{{- end -}}
{{- $roles | toJson -}}
{{- end -}}

{{/* The ServiceAccount of a role. Takes dict: root, role. */}}
{{- define "hookwright.serviceAccountName" -}}
{{- $account := (index .root.Values .role.component).serviceAccount -}}
{{- default .role.name $account.name -}}
{{- end -}}

{{/*
The ServiceAccounts of all modes, as JSON: what teams grant is for each, so that another mode finds its grants. Takes dict:
root, and operates: true for those alone that reconcile.
*/}}
{{- define "hookwright.accounts" -}}
{{- $accounts := list -}}
{{- range $role := include "hookwright.allRoles" .root | fromJsonArray -}}
{{- if or $role.operates (not $.operates) -}}
{{- $accounts = append $accounts (include "hookwright.serviceAccountName" (dict "root" $.root "role" $role)) -}}
{{- end -}}
{{- end -}}
{{- uniq $accounts | toJson -}}
{{- end -}}

{{/*
The options by which `hookwright grant` lets them in; few where it does by itself. Takes dict: root, and others, otherOperators:
who is to be let in beside them.
*/}}
{{- define "hookwright.grantOptions" -}}
{{- $accounts := include "hookwright.accounts" (dict "root" .root "operates" false) | fromJsonArray -}}
{{- $operators := include "hookwright.accounts" (dict "root" .root "operates" true) | fromJsonArray -}}
--hookwright-namespace {{ .root.Release.Namespace }}
{{- if or .others (ne (join " " $accounts) "hookwright-receiver hookwright-operator hookwright") }}
{{- range concat $accounts (default list .others) | uniq }} --hookwright-account {{ . }}{{ end }}
{{- range concat $operators (default list .otherOperators) | uniq }} --operator-account {{ . }}{{ end }}
{{- end }}
{{- end -}}

{{/* The Service of those who take deliveries; it has this name in both modes, so that senders find it in both. */}}
{{- define "hookwright.receiverService" -}}
{{- printf "%s-receiver" (include "hookwright.fullname" .) -}}
{{- end -}}

{{- define "hookwright.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* publicUrl without slashes at its end. */}}
{{- define "hookwright.publicUrl" -}}
{{- regexReplaceAll "/+$" (default "" .Values.publicUrl) "" -}}
{{- end -}}

{{/* publicUrl's host, without its port, in small letters: Ingress and HTTPRoute take no others. */}}
{{- define "hookwright.publicHost" -}}
{{- $authority := regexReplaceAll "^https?://([^/]*).*$" (include "hookwright.publicUrl" .) "${1}" -}}
{{- regexReplaceAll ":[0-9]*$" $authority "" | lower -}}
{{- end -}}

{{/* publicUrl's path; empty if it has none. */}}
{{- define "hookwright.publicPath" -}}
{{- regexReplaceAll "^https?://[^/]*" (include "hookwright.publicUrl" .) "" -}}
{{- end -}}

{{/* An address and a port in one. Takes dict: address, port. */}}
{{- define "hookwright.endpoint" -}}
{{- if contains ":" .address -}}
{{- printf "[%s]:%v" .address .port -}}
{{- else -}}
{{- printf "%s:%v" .address .port -}}
{{- end -}}
{{- end -}}
