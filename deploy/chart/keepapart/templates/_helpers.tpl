{{- define "keepapart.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{/* What never changes, for selectors. Takes (dict "root" $ "component" "api"). */}}
{{- define "keepapart.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "keepapart.labels" -}}
{{ include "keepapart.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "keepapart.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* The STORE in force. */}}
{{- define "keepapart.store" -}}
{{ .Values.settings.STORE | default "file" }}
{{- end }}

{{/* The environment of every process of keepapart. Numbers as JSON: a template would write 86400000 as 8.64e+07. */}}
{{- define "keepapart.env" -}}
- { name: TEMPORAL_ADDRESS, value: {{ required "temporal.address is required: host:port of your Temporal server" .Values.temporal.address | quote }} }
- { name: TEMPORAL_NAMESPACE, value: {{ .Values.temporal.namespace | quote }} }
{{- with .Values.temporal.tlsSecret }}
- { name: TEMPORAL_TLS, value: 'true' }
- { name: TEMPORAL_TLS_CLIENT_CERT_PATH, value: /temporal-tls/tls.crt }
- { name: TEMPORAL_TLS_CLIENT_KEY_PATH, value: /temporal-tls/tls.key }
{{- if $.Values.temporal.tlsCa }}
- { name: TEMPORAL_TLS_SERVER_CA_CERT_PATH, value: /temporal-tls/ca.crt }
{{- end }}
{{- end }}
{{- with .Values.temporal.apiKey }}
- name: TEMPORAL_API_KEY
  valueFrom: { secretKeyRef: { name: {{ .name }}, key: {{ .key }} } }
{{- end }}
- { name: KEEPAPART_METRICS_HOST, value: 0.0.0.0 }
- { name: KEEPAPART_METRICS_PORT, value: '9464' }
{{- range $name, $value := .Values.settings }}
- { name: {{ printf "KEEPAPART_%s" $name }}, value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }} }
{{- end }}
{{- range $name, $ref := .Values.secretSettings }}
- name: {{ printf "KEEPAPART_%s" $name }}
  valueFrom: { secretKeyRef: { name: {{ $ref.name }}, key: {{ $ref.key }} } }
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What every pod has in common. */}}
{{- define "keepapart.podSecurity" -}}
automountServiceAccountToken: false
# Otherwise a Service named keepapart would add variables such as KEEPAPART_PORT, and keepapart refuses unknown settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- end }}

{{- define "keepapart.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* healthz: the process is up. readyz: it has started, and Temporal answers. */}}
{{- define "keepapart.probes" -}}
livenessProbe:
  httpGet: { path: /healthz, port: metrics }
  initialDelaySeconds: 10
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: metrics }
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}

{{/* Spread over nodes, and where the pods may run. Takes (dict "root" $ "component" "api" "values" .Values.api). */}}
{{- define "keepapart.placement" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "keepapart.selector" . | nindent 8 }}
{{- with .values.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- end }}
