// The projects whose CRDs judge what the chart makes of their kinds (tests/support/upstream.py). They are fetched, and
// nothing of them is built. Both have the Apache License 2.0.
module upstream

go 1.24.0

require (
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.4.1
)
