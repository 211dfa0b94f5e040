package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/store"
)

// NodeWaits is a node that wants to join and that its cluster has not told of.
type NodeWaits struct {
	Cluster, Node, Token, From string
	Since, Last                time.Time
}

// endsSoon is how long before its end a token is told as ending: a person has to do
// something then. Certificates renew themselves.
const endsSoon = 14 * 24 * time.Hour

// keptBeside is for how long a token that was rotated counts, if nobody says otherwise.
const keptBeside = 24 * time.Hour

// TokensOf tells tokens, certificates and nodes that wait as one list, those that need something first.
func TokensOf(tokens []store.IngestToken, certificates []store.Certificate, waits []NodeWaits, now time.Time) []Token {
	out := []Token{}
	for _, w := range waits {
		out = append(out, Token{Id: w.Token + "/" + w.Node, Kind: NodeThatWaits, Cluster: w.Cluster, Node: &w.Node, State: TokenStateWaiting,
			Why:       "The cluster has not told of a node of this name. If it does not exist, somebody uses the join token who should not.",
			CreatedAt: &w.Since, LastUsedAt: &w.Last, LastUsedFrom: text(w.From), Token: text(w.Token)})
	}
	for _, t := range tokens {
		out = append(out, tokenOf(t, now))
	}
	for _, c := range newest(certificates) {
		out = append(out, certificateOf(c, now))
	}
	slices.SortStableFunc(out, func(a, b Token) int {
		return cmp.Or(cmp.Compare(tokenOrder(a.State), tokenOrder(b.State)), cmp.Compare(a.Cluster, b.Cluster),
			cmp.Compare(kindOrder(a.Kind), kindOrder(b.Kind)), cmp.Compare(deref(a.Node), deref(b.Node)),
			cmp.Compare(deref(a.Registry), deref(b.Registry)), cmp.Compare(deref(a.Build), deref(b.Build)))
	})
	return out
}

func tokenOrder(s TokenState) int {
	return slices.Index([]TokenState{TokenStateWaiting, TokenStateEnding, TokenStateValid, TokenStateSpent, TokenStateExpired,
		TokenStateRevoked}, s)
}

func kindOrder(k TokenKind) int {
	return slices.Index([]TokenKind{NodeThatWaits, JoinToken, AuditToken, AuditCertificate, NodeCertificate, WebhookToken,
		UploadToken}, k)
}

// newest leaves of the certificates of one key the one that ends last.
func newest(all []store.Certificate) (out []store.Certificate) {
	at := map[[3]string]int{}
	for _, c := range all {
		key := [3]string{c.Cluster, c.Node, c.Key}
		if i, there := at[key]; !there {
			at[key] = len(out)
			out = append(out, c)
		} else if out[i].ExpiresAt.Before(c.ExpiresAt) {
			out[i] = c
		}
	}
	return out
}

func tokenOf(t store.IngestToken, now time.Time) Token {
	out := Token{Id: t.ID, Kind: AuditToken, Cluster: t.Cluster, CreatedAt: &t.CreatedAt, CreatedBy: text(t.MadeBy),
		ExpiresAt: moment(t.ExpiresAt), LastUsedAt: moment(t.UsedAt), LastUsedFrom: text(t.UsedFrom), RevokedAt: moment(t.RevokedAt),
		RevokedBy: text(t.RevokedBy)}
	if t.Kind == string(Runtime) {
		out.Kind, out.Uses = JoinToken, &t.Uses
		if t.MaxUses > 0 {
			out.MaxUses = &t.MaxUses
		}
	}
	switch t.Kind {
	case store.PushToken:
		out.Kind, out.Registry = WebhookToken, text(t.Subject)
	case store.UploadToken:
		out.Kind, out.Build = UploadToken, text(t.Subject)
	}
	out.State, out.Why = stateOf(t.Usable(now), t.RevokedBy)
	switch {
	case out.State != TokenStateValid:
	case t.ExpiresAt.IsZero():
		out.Why = "It does not end by itself: it is of an earlier release. Rotate it, and it gets an end."
	case t.ExpiresAt.Sub(now) < endsSoon && t.ExpiresAt.Sub(t.CreatedAt) > endsSoon:
		out.State, out.Why = TokenStateEnding, "It ends soon: rotate it, and give the new one to who shows it."
	}
	return out
}

func certificateOf(c store.Certificate, now time.Time) Token {
	out := Token{Id: c.Serial, Kind: NodeCertificate, Cluster: c.Cluster, Node: text(c.Node), CreatedAt: &c.CreatedAt,
		CreatedBy: text(c.MadeBy), ExpiresAt: moment(c.ExpiresAt), LastUsedAt: moment(c.UsedAt), LastUsedFrom: text(c.UsedFrom),
		RevokedAt: moment(c.RevokedAt), RevokedBy: text(c.RevokedBy), Token: text(c.Token)}
	out.State, out.Why = stateOf(c.Usable(now), c.RevokedBy)
	if c.Node == "" {
		out.Kind = AuditCertificate
		return out
	}
	out.Verified = &c.Verified
	if out.State == TokenStateValid && !c.Verified {
		out.Why = "When it joined, which nodes the cluster has was not known here: that it is this node is not verified."
	}
	return out
}

// stateOf is the state of what is usable, or why it is not.
func stateOf(usable error, by string) (TokenState, string) {
	switch {
	case errors.Is(usable, store.ErrRevoked):
		return TokenStateRevoked, fmt.Sprintf("%s ended it.", cmp.Or(by, "Somebody"))
	case errors.Is(usable, store.ErrExpired):
		return TokenStateExpired, ""
	case errors.Is(usable, store.ErrSpent):
		return TokenStateSpent, "As many nodes have joined with it as may."
	}
	return TokenStateValid, ""
}

// ListTokens implements StrictServerInterface.
func (s session) ListTokens(ctx context.Context, r ListTokensRequestObject) (ListTokensResponseObject, error) {
	tokens, certificates, err := s.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	waits, err := s.waits(ctx)
	if err != nil {
		return nil, err
	}
	out := TokenList{Counts: map[string]int{}, TakesEvents: s.HasSensors(), Items: TokensOf(tokens, certificates, waits, time.Now())}
	if cluster := deref(r.Params.Cluster); cluster != "" {
		out.Items = slices.DeleteFunc(out.Items, func(t Token) bool { return t.Cluster != cluster })
	}
	for _, t := range out.Items {
		out.Counts[string(t.State)]++
	}
	return ListTokens200JSONResponse(out), nil
}

// RevokeToken implements StrictServerInterface.
func (s session) RevokeToken(ctx context.Context, r RevokeTokenRequestObject) (RevokeTokenResponseObject, error) {
	err := s.Reader.RevokeToken(ctx, r.Id, deref(r.Params.Joined), s.who)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing("no token or certificate " + r.Id + " that counts")
	}
	if err != nil {
		return nil, err
	}
	return RevokeToken204Response{}, nil
}

// RotateToken implements StrictServerInterface.
func (s session) RotateToken(ctx context.Context, r RotateTokenRequestObject) (RotateTokenResponseObject, error) {
	beside := keptBeside
	if h := r.Params.KeepHours; h != nil {
		if *h < 0 || *h > 8760 {
			return nil, asked{errors.New("keepHours: want 0 to 8760")}
		}
		beside = time.Duration(*h) * time.Hour
	}
	secret, made, err := s.Reader.RotateToken(ctx, r.Id, beside, s.who)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing("no token " + r.Id + " that can be rotated: certificates renew themselves")
	}
	if err != nil {
		return nil, err
	}
	kind := tokenOf(made, time.Now()).Kind
	return RotateToken200JSONResponse(TokenSecret{Id: made.ID, Cluster: made.Cluster, Kind: kind, Token: secret,
		ExpiresAt: moment(made.ExpiresAt), OldUntil: time.Now().Add(beside)}), nil
}
