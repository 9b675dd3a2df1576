//go:build tools

// Package controlplane names what the cluster tests build: the parts of a Kubernetes control plane.
package controlplane

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
)
