// Asks the admission policies of deploy/kubernetes/policy as Kubernetes does, by its own plugin and CEL: no
// evaluation of them is ours. It compiles them for the oldest version that we run on.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
)

const usage = "usage: kubernetes <policies.yaml> <rendered.yaml>..."

var versions = []*version.Version{version.MajorMinor(1, 30), version.MajorMinor(1, 34)}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(64)
	}
	for _, at := range versions {
		if err := check(at, os.Args[1], os.Args[2:]); err != nil {
			fmt.Printf("FAILED %s: %v\n", at, err)
			os.Exit(1)
		}
	}
}

func check(at *version.Version, policies string, renderings []string) error {
	hooks, err := readHooks(policies, at)
	if err != nil {
		return err
	}
	ask, err := newAsk(hooks)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	admitted, refused := 0, 0
	for _, path := range renderings {
		pods, err := podsOf(path)
		if err != nil {
			return err
		}
		for name, pod := range pods {
			where := strings.TrimSuffix(filepath.Base(path), ".yaml") + "/" + name
			if err := admits(ask, pod); err != nil {
				return fmt.Errorf("%s: %w", where, err)
			}
			count, err := refuses(ask, pod, seen)
			if err != nil {
				return fmt.Errorf("%s: %w", where, err)
			}
			admitted, refused = admitted+1, refused+count
		}
	}
	total := 0
	for _, hook := range hooks {
		for _, validation := range hook.Policy.Spec.Validations {
			total++
			if !seen[validation.Message] {
				return fmt.Errorf("%s: nothing was refused by %q", hook.Policy.Name, validation.Message)
			}
		}
	}
	fmt.Printf("ok %s: %d policies, %d validations; %d pods admitted, %d requests refused\n",
		at, len(hooks), total, admitted, refused)
	return nil
}

// admits asks for what has to be let in: the pod as it is, again when it is changed, and anything elsewhere.
func admits(ask func(request) error, pod *core.Pod) error {
	if pod.Namespace != ours {
		return fmt.Errorf("it belongs to the namespace %q", pod.Namespace)
	}
	for _, operation := range []admission.Operation{admission.Create, admission.Update} {
		if err := ask(request{ours, pod, "", operation}); err != nil {
			return err
		}
	}
	other := pod.DeepCopy()
	other.Spec.Containers[0].Image, other.Spec.Containers[0].Command = "debian:latest", []string{"/bin/sh"}
	if err := ask(request{elsewhere, other, "", admission.Create}); err != nil {
		return fmt.Errorf("in another namespace: %w", err)
	}
	return nil
}

// refuses counts what was refused, each with its own message; one that is let in is an error.
func refuses(ask func(request) error, pod *core.Pod, seen map[string]bool) (int, error) {
	count := 0
	expect := func(what, message string, asked request) error {
		err := ask(asked)
		if err == nil {
			return fmt.Errorf("%s is admitted", what)
		}
		if !strings.Contains(err.Error(), message) {
			return fmt.Errorf("%s is refused otherwise: %w", what, err)
		}
		// The message stands at the end of what the server answers.
		seen[err.Error()[strings.Index(err.Error(), message):]] = true
		count++
		return nil
	}
	for where, place := range places {
		for _, fault := range faults() {
			for _, operation := range []admission.Operation{admission.Create, admission.Update} {
				bad := pod.DeepCopy()
				fault.plant(place(bad))
				what := fmt.Sprintf("%s of a %s with %s", operation, where, fault.what)
				if err := expect(what, fault.message, request{ours, bad, "", operation}); err != nil {
					return 0, err
				}
			}
		}
	}
	for what, asked := range entries(pod) {
		if err := expect(what, noEntry, asked); err != nil {
			return 0, err
		}
	}
	return count, nil
}
