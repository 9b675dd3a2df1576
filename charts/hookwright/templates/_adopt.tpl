{{/* The pod that works off one volume. Takes dict: root, role, values, claim. */}}
{{- define "hookwright.adoptPod" -}}
metadata:
  labels:
    {{- $own := include "hookwright.selector" (dict "root" .root "component" "adopt") | fromYaml }}
    {{- mergeOverwrite (deepCopy (default dict .values.podLabels)) $own | toYaml | nindent 4 }}
  {{- with .values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  restartPolicy: Never
  serviceAccountName: {{ include "hookwright.serviceAccountName" (dict "root" .root "role" .role) | quote }}
  automountServiceAccountToken: true
  enableServiceLinks: false
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include "hookwright.podSecurity" .root | nindent 4 }}
  {{- with include "hookwright.placement" .values }}
  {{- . | nindent 2 }}
  {{- end }}
  containers:
    - name: hookwright
      image: {{ include "hookwright.image" .root | quote }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: [drain, --timeout, "600"]
      env:
        {{- include "hookwright.env" .root | nindent 8 }}
        {{- with .values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      securityContext:
        {{- include "hookwright.containerSecurity" .root | nindent 8 }}
      resources:
        {{- toYaml .values.resources | nindent 8 }}
      volumeMounts:
        - name: journal
          mountPath: /var/lib/hookwright
        - name: tmp
          mountPath: /tmp
  volumes:
    - name: journal
      persistentVolumeClaim:
        claimName: {{ .claim | quote }}
    - name: tmp
      emptyDir:
        sizeLimit: 64Mi
{{- end -}}
