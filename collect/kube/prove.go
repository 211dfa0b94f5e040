package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Prover asks a cluster's API server whether something is so. It changes nothing:
// access reviews and dry runs are answered and forgotten.
type Prover struct{ cl *client }

// ErrMayNotAsk says that the credentials are not enough for the question.
var ErrMayNotAsk = errors.New("the credentials do not allow to ask")

// NewProver connects to a cluster.
func NewProver(c Config) (*Prover, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	cl, err := newClient(c)
	if err != nil {
		return nil, err
	}
	return &Prover{cl}, nil
}

// Access is a question: may a user, who is in these groups, do this?
type Access struct {
	User                         string
	Groups                       []string
	Verb                         string
	Group, Resource, Subresource string
	Namespace, Name              string
	// Path asks for a URL that is no resource instead.
	Path string
}

// Allowed asks the API server's authorizers.
func (p *Prover) Allowed(ctx context.Context, a Access) (bool, error) {
	review := authorizationv1.SubjectAccessReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SubjectAccessReview"},
		Spec:     authorizationv1.SubjectAccessReviewSpec{User: a.User, Groups: a.Groups},
	}
	if a.Path != "" {
		review.Spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: a.Path, Verb: a.Verb}
	} else {
		review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{Namespace: a.Namespace, Verb: a.Verb, Group: a.Group,
			Resource: a.Resource, Subresource: a.Subresource, Name: a.Name}
	}
	err := p.post(ctx, "/apis/authorization.k8s.io/v1/subjectaccessreviews", &review)
	if apierrors.IsForbidden(err) {
		return false, fmt.Errorf("%w: creating SubjectAccessReviews is refused", ErrMayNotAsk)
	}
	if err != nil {
		return false, fmt.Errorf("ask whether %s may %s: %w", a.User, a.Verb, err)
	}
	return review.Status.Allowed, nil
}

// Admitted asks by a dry run whether admission lets a pod in; if not, why says who
// refuses it.
func (p *Prover) Admitted(ctx context.Context, pod corev1.Pod) (ok bool, why string, err error) {
	pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	err = p.post(ctx, "/api/v1/namespaces/"+pod.Namespace+"/pods?dryRun=All", &pod)
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return true, "", nil
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "cannot create resource"):
		return false, "", fmt.Errorf("%w: creating pods in namespace %s is refused", ErrMayNotAsk, pod.Namespace)
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "looking up service account"):
		return false, "", fmt.Errorf("%w: namespace %s has no service account for a pod", ErrMayNotAsk, pod.Namespace)
	case errors.As(err, &status) && (apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || status.Status().Code == 422):
		return false, status.Status().Message, nil
	}
	return false, "", fmt.Errorf("try a pod in namespace %s: %w", pod.Namespace, err)
}

// post sends an object and reads the answer into it.
func (p *Prover) post(ctx context.Context, path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request := p.cl.discover.RESTClient().Post().SetHeader("Content-Type", "application/json").SetHeader("Accept", "application/json")
	path, dry, _ := strings.Cut(path, "?dryRun=")
	if request = request.AbsPath(path); dry != "" {
		request = request.Param("dryRun", dry)
	}
	result := request.Body(bytes.NewReader(text)).Do(ctx)
	if err := result.Error(); err != nil { // with the server's own words, which Raw would not read
		return err
	}
	answer, err := result.Raw()
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, body)
}
