{{/* What the security of every pod is: Pod Security's "restricted". Takes the root. */}}
{{- define "hookwright.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.runAsUser }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
fsGroup: {{ int64 . }}
{{- end }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "hookwright.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* The settings as environment variables. Takes the root. */}}
{{- define "hookwright.env" -}}
- name: HOOKWRIGHT_NAMESPACE
  value: {{ .Release.Namespace | quote }}
- name: HOOKWRIGHT_IDENTITY
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: HOOKWRIGHT_PUBLIC_URL
  value: {{ include "hookwright.publicUrl" . | quote }}
- name: HOOKWRIGHT_LISTEN
  value: {{ include "hookwright.endpoint" (dict "address" .Values.listenAddress "port" 8080) | quote }}
- name: HOOKWRIGHT_ADMIN
  value: {{ include "hookwright.endpoint" (dict "address" .Values.listenAddress "port" 9090) | quote }}
- name: HOOKWRIGHT_JOURNAL
  value: /var/lib/hookwright
- name: HOOKWRIGHT_CLUSTER_NAME
  value: {{ .Values.clusterName | quote }}
{{- with .Values.watchNamespaces }}
- name: HOOKWRIGHT_NAMESPACES
  value: {{ sortAlpha . | join "," | quote }}
{{- end }}
{{- with .Values.trustedProxies }}
- name: HOOKWRIGHT_TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: HOOKWRIGHT_{{ snakecase $name | upper }}
  value: {{ toString $value | quote }}
{{- end }}
{{- end -}}

{{/* The seconds that a pod needs to end: what it waits, takes, and then still finishes. Takes dict: root, values. */}}
{{- define "hookwright.leastGrace" -}}
{{- add .values.preStopSeconds .root.Values.settings.drain 25 -}}
{{- end -}}

{{/* Where pods may run. Takes the values of a role. */}}
{{- define "hookwright.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end -}}
