{{/*
The ServiceAccounts that the release uses now, and would use no longer, as JSON: each with those that take its place, and
whether it is an operator's. Where no cluster is asked, lookup finds nothing.
*/}}
{{- define "hookwright.heirs" -}}
{{- $root := . -}}
{{- $roles := include "hookwright.roles" . | fromJsonArray -}}
{{- $used := list -}}
{{- range $role := $roles -}}
{{- $used = append $used (include "hookwright.serviceAccountName" (dict "root" $root "role" $role)) -}}
{{- end -}}
{{- $heirs := dict -}}
{{- range (lookup "apps/v1" "StatefulSet" .Release.Namespace "").items -}}
{{- $labels := default dict .metadata.labels -}}
{{- $account := default "default" .spec.template.spec.serviceAccountName -}}
{{- $ours := and (eq (get $labels "app.kubernetes.io/name") "hookwright") (eq (get $labels "app.kubernetes.io/instance") $root.Release.Name) -}}
{{- if and $ours (not (has $account $used)) -}}
{{- $component := get $labels "app.kubernetes.io/component" -}}
{{- $before := default dict (get $heirs $account) -}}
{{- $names := default list $before.names -}}
{{- range $role := $roles -}}
{{- if or (and $role.receives (ne $component "operator")) (and $role.operates (ne $component "receiver")) -}}
{{- $names = append $names (include "hookwright.serviceAccountName" (dict "root" $root "role" $role)) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $heirs $account (dict "names" $names "operated" (or $before.operated (ne $component "receiver"))) -}}
{{- end -}}
{{- end -}}
{{- $heirs | toJson -}}
{{- end -}}

{{/* Where teams have let in such a ServiceAccount by hand, and none of those that take its place. */}}
{{- define "hookwright.problems.deserted" -}}
{{- $root := . -}}
{{- $heirs := include "hookwright.heirs" . | fromJson -}}
{{- $operators := list -}}
{{- range $account, $heir := $heirs -}}
{{- if $heir.operated -}}
{{- $operators = append $operators $account -}}
{{- end -}}
{{- end -}}
{{- $left := list -}}
{{- $where := list -}}
{{- if $heirs -}}
{{- range $namespace := default (list "") .Values.watchNamespaces -}}
{{- range (lookup "rbac.authorization.k8s.io/v1" "RoleBinding" $namespace "").items -}}
{{- if include "hookwright.owner" (dict "root" $root "found" .) -}}
{{- $binding := . -}}
{{- $names := list -}}
{{- range .subjects -}}
{{- if and (eq .kind "ServiceAccount") (eq (default $binding.metadata.namespace .namespace) $root.Release.Namespace) -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- end -}}
{{- range $account, $heir := $heirs -}}
{{- $followed := false -}}
{{- range $heir.names -}}
{{- $followed = or $followed (has . $names) -}}
{{- end -}}
{{- if and (has $account $names) (not $followed) -}}
{{- $left = append $left $account -}}
{{- $where = append $where $binding.metadata.namespace -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $where }}
- serviceAccount.name: ServiceAccounts {{ uniq $left | join ", " }} of this release would give way to others, but were let in by hand, and those were not, in namespace {{ uniq $where | sortAlpha | join ", " }}; keep these names, or have both let in there first:
    hookwright grant TEAM-NAMESPACE --service-account BUILDER {{ include "hookwright.grantOptions" (dict "root" . "others" (keys $heirs | sortAlpha) "otherOperators" $operators) }} | kubectl apply -f -
{{- end }}
{{- end -}}
