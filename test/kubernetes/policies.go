package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	admissionregistration "k8s.io/api/admissionregistration/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/client-go/kubernetes/scheme"
)

// Strictly: a field that this version does not know is refused.
var decoder = serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// readObjects decodes what Kubernetes itself knows; custom resources have no type here and are passed over.
func readObjects(path string) ([]runtime.Object, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var objects []runtime.Object
	for reader := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(text))); ; {
		document := make([]byte, len(text))
		length, err := reader.Read(document)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		object, _, err := decoder.Decode(document[:length], nil, nil)
		if runtime.IsNotRegisteredError(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		objects = append(objects, object)
	}
}

// readHooks pairs each policy with its bindings and compiles it as a server of a version does when it stores one.
func readHooks(path string, at *version.Version) ([]validating.PolicyHook, error) {
	objects, err := readObjects(path)
	if err != nil {
		return nil, err
	}
	var hooks []validating.PolicyHook
	for _, object := range objects {
		policy, isPolicy := object.(*validating.Policy)
		if !isPolicy {
			continue
		}
		setDefaults(policy)
		hook := validating.PolicyHook{Policy: policy}
		for _, other := range objects {
			if binding, ok := other.(*validating.PolicyBinding); ok && binding.Spec.PolicyName == policy.Name {
				hook.Bindings = append(hook.Bindings, binding)
			}
		}
		if hook.Evaluator, err = compile(policy, at); err != nil {
			return nil, fmt.Errorf("%s: %w", policy.Name, err)
		}
		hooks = append(hooks, hook)
	}
	if len(hooks) == 0 {
		return nil, fmt.Errorf("%s holds no policy", path)
	}
	return hooks, nil
}

// The server's own defaults, which are not part of its libraries: a selector that is missing selects all.
func setDefaults(policy *validating.Policy) {
	equivalent, every := admissionregistration.Equivalent, admissionregistration.AllScopes
	constraints := policy.Spec.MatchConstraints
	if constraints.MatchPolicy == nil {
		constraints.MatchPolicy = &equivalent
	}
	if constraints.NamespaceSelector == nil {
		constraints.NamespaceSelector = &meta.LabelSelector{}
	}
	if constraints.ObjectSelector == nil {
		constraints.ObjectSelector = &meta.LabelSelector{}
	}
	for index := range constraints.ResourceRules {
		if rule := &constraints.ResourceRules[index]; rule.Scope == nil {
			rule.Scope = &every
		}
	}
}

// compile is the plugin's compilePolicy, which it keeps to itself, but refuses at once what would be an error of
// every request. What it does not compile is not passed over.
func compile(policy *validating.Policy, at *version.Version) (validating.Validator, error) {
	spec := policy.Spec
	if len(spec.MatchConditions)+len(spec.AuditAnnotations) > 0 || spec.ParamKind != nil {
		return nil, errors.New("match conditions, audit annotations and parameters are not compiled here")
	}
	compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(at, true))
	if err != nil {
		return nil, err
	}
	known := cel.OptionalVariableDeclarations{HasAuthorizer: true, StrictCost: true}
	// What a server lets in, not what it goes on reading: the latter knows more than its version has.
	mode := environment.NewExpressions
	for _, variable := range spec.Variables {
		accessor := &validating.Variable{Name: variable.Name, Expression: variable.Expression}
		if result := compiler.CompileAndStoreVariable(accessor, known, mode); result.Error != nil {
			return nil, fmt.Errorf("variable %s: %w", variable.Name, result.Error)
		}
	}
	var conditions []cel.ExpressionAccessor
	for _, validation := range spec.Validations {
		if validation.MessageExpression != "" {
			return nil, errors.New("message expressions are not compiled here")
		}
		condition := &validating.ValidationCondition{
			Expression: validation.Expression, Message: validation.Message, Reason: validation.Reason,
		}
		if result := compiler.CompileCELExpression(condition, known, mode); result.Error != nil {
			return nil, fmt.Errorf("%s: %w", validation.Expression, result.Error)
		}
		conditions = append(conditions, condition)
	}
	none := compiler.CompileCondition(nil, known, mode)
	return validating.NewValidator(
		compiler.CompileCondition(conditions, known, mode), nil, none, none, spec.FailurePolicy,
	), nil
}
