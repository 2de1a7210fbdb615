package main

import (
	"context"
	"fmt"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/policy/generic"
	"k8s.io/apiserver/pkg/admission/plugin/policy/matching"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/kubernetes/scheme"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

const ours, elsewhere = "postern", "elsewhere"

// A request is what the server asks its policies about.
type request struct {
	namespace   string
	object      runtime.Object
	subresource string
	operation   admission.Operation
}

// newAsk answers requests by the plugin's own dispatcher: what matches, what is bound, what it says.
func newAsk(hooks []validating.PolicyHook) (func(request) error, error) {
	namespaces := cache.NewIndexer(cache.MetaNamespaceKeyFunc, nil)
	for _, name := range []string{ours, elsewhere} {
		labels := map[string]string{"kubernetes.io/metadata.name": name}
		namespace := &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: name, Labels: labels}}
		if err := namespaces.Add(namespace); err != nil {
			return nil, err
		}
	}
	matcher := generic.NewPolicyMatcher(matching.NewMatcher(listers.NewNamespaceLister(namespaces), nil))
	dispatcher := validating.NewDispatcher(nil, matcher)
	interfaces := admission.NewObjectInterfacesFromScheme(scheme.Scheme)
	return func(asked request) error {
		kinds, _, err := scheme.Scheme.ObjectKinds(asked.object)
		if err != nil {
			return err
		}
		attributes := admission.NewAttributesRecord(
			asked.object, nil, kinds[0], asked.namespace, "a-pod", core.SchemeGroupVersion.WithResource("pods"),
			asked.subresource, asked.operation, nil, false, &user.DefaultInfo{Name: "somebody"},
		)
		return dispatcher.Dispatch(context.Background(), attributes, interfaces, hooks)
	}, nil
}

// podsOf makes the pods that the controllers of a rendering would.
func podsOf(path string) (map[string]*core.Pod, error) {
	objects, err := readObjects(path)
	if err != nil {
		return nil, err
	}
	pods := map[string]*core.Pod{}
	add := func(name, namespace string, template core.PodTemplateSpec) {
		template.ObjectMeta.Name, template.ObjectMeta.Namespace = name, namespace
		pods[name] = &core.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	}
	for _, object := range objects {
		switch each := object.(type) {
		case *apps.Deployment:
			add(each.Name, each.Namespace, each.Spec.Template)
		case *batch.Job:
			add(each.Name, each.Namespace, each.Spec.Template)
		case *core.Pod, *apps.StatefulSet, *apps.DaemonSet, *batch.CronJob:
			return nil, fmt.Errorf("%s: pods of a %T are not made here", path, each)
		}
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("%s makes no pod", path)
	}
	return pods, nil
}
