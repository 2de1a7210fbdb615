package main

import (
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
)

// Pieces of what admission.yaml says when it refuses.
const (
	badName  = "a name in env changes the code that runs"
	envFrom  = "envFrom lets another object name what is set"
	command  = "the image's entry point is the program"
	image    = "an image of ours by digest, and no other"
	noEntry  = "nobody enters a pod of Postern"
	ourImage = "registry.postern.example/postern"
)

// A fault is one change of a container that has to be refused.
type fault struct {
	what    string
	plant   func(*core.Container)
	message string
}

func faults() []fault {
	digest := "@sha256:" + strings.Repeat("a", 64)
	var all []fault
	for _, name := range []string{
		"BUN_BE_BUN", "BUN_OPTIONS", "BUN_INSPECT", "BUN_CONFIG_REGISTRY", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT",
		"DYLD_INSERT_LIBRARIES", "NODE_OPTIONS", "NODE_PATH", "NODE_TLS_REJECT_UNAUTHORIZED", "SSLKEYLOGFILE", "GCONV_PATH",
	} {
		all = append(all, fault{name, func(container *core.Container) {
			container.Env = append(container.Env, core.EnvVar{Name: name, Value: "1"})
		}, badName})
	}
	for _, name := range []string{
		"postern", ourImage, ourImage + ":latest", ourImage + ":0.1.0", ourImage + "@sha256:not-pinned",
		ourImage + digest[:len(digest)-1], ourImage + digest + "a", "ghcr.io/somebody/postern" + digest,
		"x/" + ourImage + digest, "registryxpostern.example/postern" + digest, ourImage + "-tools" + digest,
		ourImage + ":0.1.0" + digest, ourImage + digest + "\n", "",
	} {
		all = append(all, fault{"image " + name, func(container *core.Container) { container.Image = name }, image})
	}
	return append(all,
		fault{"LD_PRELOAD of a secret", func(container *core.Container) {
			from := &core.EnvVarSource{SecretKeyRef: &core.SecretKeySelector{Key: "a"}}
			container.Env = []core.EnvVar{{Name: "LD_PRELOAD", ValueFrom: from}}
		}, badName},
		fault{"envFrom", func(container *core.Container) {
			source := &core.ConfigMapEnvSource{LocalObjectReference: core.LocalObjectReference{Name: "a"}}
			container.EnvFrom = []core.EnvFromSource{{ConfigMapRef: source}}
		}, envFrom},
		fault{"a command", func(container *core.Container) { container.Command = []string{"/bin/sh"} }, command},
	)
}

// Where a container can stand when a pod is made; a sidecar is an initContainer that goes on.
var places = map[string]func(*core.Pod) *core.Container{
	"container": func(pod *core.Pod) *core.Container { return &pod.Spec.Containers[0] },
	"second container": func(pod *core.Pod) *core.Container {
		pod.Spec.Containers = append(pod.Spec.Containers, *pod.Spec.Containers[0].DeepCopy())
		return &pod.Spec.Containers[len(pod.Spec.Containers)-1]
	},
	"initContainer": func(pod *core.Pod) *core.Container {
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, *pod.Spec.Containers[0].DeepCopy())
		return &pod.Spec.InitContainers[len(pod.Spec.InitContainers)-1]
	},
}

// Ways into a pod that runs.
func entries(pod *core.Pod) map[string]request {
	connect := func(subresource string, object runtime.Object) request {
		return request{ours, object, subresource, admission.Connect}
	}
	return map[string]request{
		"exec":                connect("exec", &core.PodExecOptions{Command: []string{"/bin/sh"}}),
		"attach":              connect("attach", &core.PodAttachOptions{}),
		"portforward":         connect("portforward", &core.PodPortForwardOptions{}),
		"ephemeralcontainers": {ours, pod, "ephemeralcontainers", admission.Update},
	}
}
