package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/breakwater-sec/breakwater/event/identity"
	"github.com/breakwater-sec/breakwater/gate"
	"github.com/breakwater-sec/breakwater/store"
)

// asksFor is what a sensor sends to get a certificate.
type asksFor struct {
	// Node is what wants to join; a certificate that is renewed says it itself.
	Node string `json:"node,omitempty"`
	// Pod is the uid of the sensor's own pod; empty for one that is in none.
	Pod string `json:"pod,omitempty"`
	// CSR is a certificate request in PEM. Only its key counts.
	CSR string `json:"csr"`
}

// Joined is what it gets.
type Joined struct {
	// Certificate is in PEM.
	Certificate string `json:"certificate"`
	// RenewAfter is how long to wait before it is renewed. No clock of the sensor is asked.
	RenewAfter int64 `json:"renewAfterSeconds"`
}

const (
	// maxAsked bounds what is read of one who wants to join.
	maxAsked = 16 << 10
	// maxUnverified is how many nodes may join a cluster whose nodes nobody knows here.
	maxUnverified = 500
)

// asks makes a handler of a func that answers one who wants a certificate.
func (s *Server) asks(answer func(context.Context, *http.Request, asksFor) (*Joined, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		joined, err := s.asked(r, answer)
		switch {
		case err != nil:
			s.reject(w, r, source{kind: Runtime}, err, nil)
		case joined == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "no-store")
			_ = json.NewEncoder(w).Encode(joined) // who does not take it asks again
		}
	})
}

func (s *Server) asked(r *http.Request, answer func(context.Context, *http.Request, asksFor) (*Joined, error)) (*Joined, error) {
	if s.config.Clients == nil {
		return nil, refuse(http.StatusNotFound, "no authority", errors.New("this server gives no certificates"))
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAsked+1))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "body", fmt.Errorf("read body: %w", err))
	}
	if len(body) > maxAsked {
		return nil, refuse(http.StatusRequestEntityTooLarge, "too big", fmt.Errorf("more than %d bytes", maxAsked))
	}
	var q asksFor
	if len(body) > 0 {
		if err := json.Unmarshal(body, &q); err != nil {
			return nil, refuse(http.StatusBadRequest, "malformed", errors.New(`want {"node": …, "csr": …}`))
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	return answer(ctx, r.WithContext(ctx), q)
}

// join gives a node's sensor its first certificate for a join token.
func (s *Server) join(ctx context.Context, r *http.Request, q asksFor) (*Joined, error) {
	of, err := s.known(r, bearer(r))
	if err != nil {
		return nil, err
	}
	if Kind(of.Kind) != Runtime {
		return nil, refuse(http.StatusForbidden, "token of another", errors.New("the token is no join token"))
	}
	who := sender{source: source{of.Cluster, Runtime}, address: gate.Address(r)}
	if err := s.may(ctx, who); err != nil {
		return nil, err
	}
	if err := nodeName(q.Node); err != nil {
		return nil, refuse(http.StatusBadRequest, "malformed", err)
	}
	verified, err := s.knows(ctx, of, q, address(r))
	if err != nil {
		return nil, err
	}
	c := store.Certificate{Cluster: of.Cluster, Kind: string(Runtime), Node: q.Node, Token: of.ID, Verified: verified, MadeBy: of.MadeBy,
		UsedFrom: address(r), Pod: s.placed(of.Cluster, q.Node, q.Pod)}
	joined, err := s.give(ctx, who, c, q.CSR, true)
	if errors.Is(err, store.ErrHeld) && s.succeeds(ctx, c) {
		joined, err = s.give(ctx, who, c, q.CSR, true)
	}
	if errors.Is(err, store.ErrHeld) {
		s.notice(ctx, of.Cluster, identity.Record{What: identity.Held, Node: q.Node, Token: of.ID, From: address(r)})
		return nil, refuse(http.StatusConflict, "held", fmt.Errorf("the node %s speaks under another key: if it was set up anew, "+
			"let it go with breakwater tokens release --cluster %s %s, or wait until its certificate ends or the cluster tells that the pod of "+
			"the sensor before is gone", q.Node, of.Cluster, q.Node))
	}
	return joined, err
}

// renew gives who shows a certificate that counts another one of the same key and name.
func (s *Server) renew(ctx context.Context, r *http.Request, q asksFor) (*Joined, error) {
	old, err := s.ofSensor(r)
	if err != nil {
		return nil, err
	}
	if has, why := s.config.HasNode(old.Cluster, old.Node); !has && why == "" {
		return nil, refuse(http.StatusForbidden, "unknown node", errors.New("the cluster has no such node any more"))
	} else if why == "" {
		old.Verified = true
	}
	return s.give(ctx, ofNode(r, old), store.Certificate{Cluster: old.Cluster, Kind: old.Kind, Node: old.Node, Key: old.Key, Token: old.Token,
		Verified: old.Verified, MadeBy: old.MadeBy, UsedFrom: address(r), Pod: s.placed(old.Cluster, old.Node, q.Pod)}, q.CSR, false)
}

// leave ends what a sensor has, at its own wish: its successor may join under another key.
func (s *Server) leave(ctx context.Context, r *http.Request, _ asksFor) (*Joined, error) {
	of, err := s.ofSensor(r)
	if err != nil {
		return nil, err
	}
	done, err := s.records.turn(ctx, ofNode(r, of))
	if err != nil {
		return nil, err
	}
	defer done()
	return nil, s.config.Tokens.LeaveNode(ctx, of.Cluster, of.Node, of.Key)
}

// ofNode is who shows a sensor's certificate.
func ofNode(r *http.Request, c store.Certificate) sender {
	return sender{source: source{c.Cluster, Runtime}, address: gate.Address(r), node: c.Node}
}

func (s *Server) ofSensor(r *http.Request) (store.Certificate, error) {
	shows := shown(r)
	if shows == nil {
		return store.Certificate{}, unknown("no certificate", errors.New("no certificate was shown"))
	}
	of, err := s.certificate(r, shows)
	if err == nil && Kind(of.Kind) != Runtime {
		err = refuse(http.StatusForbidden, "certificate of another", errors.New("the certificate is no sensor's"))
	}
	if err == nil {
		err = s.may(r.Context(), ofNode(r, of))
	}
	return of, err
}

// give makes a certificate, for the key that c names if it names one. It is kept before it is told.
func (s *Server) give(ctx context.Context, who sender, c store.Certificate, csr string, spends bool) (*Joined, error) {
	key, err := keyOf([]byte(csr))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "malformed", err)
	}
	hash, err := KeyHash(key)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "malformed", err)
	}
	if c.Key != "" && c.Key != hash {
		return nil, refuse(http.StatusForbidden, "another key", errors.New("a certificate is renewed for the key it has"))
	}
	done, err := s.records.turn(ctx, who)
	if err != nil {
		return nil, err
	}
	defer done()
	made, err := s.config.Clients.Vouch(Identity{c.Cluster, c.Node}, key, s.config.CertificateLife)
	if err != nil {
		return nil, err
	}
	c.Key, c.Serial, c.CreatedAt, c.ExpiresAt, c.UsedAt = hash, Serial(made), time.Now(), made.NotAfter, time.Now()
	err = s.config.Tokens.AddCertificate(ctx, c, spends)
	switch {
	case errors.Is(err, store.ErrSpent):
		return nil, refuse(http.StatusForbidden, "spent token", errors.New("as many nodes have joined with the token as may: make another"))
	case errors.Is(err, store.ErrKeyRevoked):
		return nil, refuse(http.StatusForbidden, "revoked key", errors.New("a certificate of this key was revoked: to join, the sensor needs "+
			"a new key, which it makes when its folder identity is removed"))
	case err != nil:
		return nil, err
	}
	return &Joined{Certificate: string(pemOf(made.Raw)), RenewAfter: int64(s.config.CertificateLife/time.Second) * 2 / 3}, nil
}

// knows says whether a node that wants to join is one of its cluster. One that is not has
// to wait: a cluster tells of its nodes within moments.
func (s *Server) knows(ctx context.Context, of store.IngestToken, q asksFor, from string) (verified bool, err error) {
	node := q.Node
	has, why := s.config.HasNode(of.Cluster, node)
	switch {
	case has:
		if err := s.sensed(ctx, of, q, from); err != nil {
			return false, err
		}
		return true, s.config.Tokens.NodeIsLet(ctx, of.Cluster, node)
	case why != "":
		n, err := s.config.Tokens.HeldNodes(ctx, of.Cluster)
		if err == nil && n >= maxUnverified {
			err = refuse(http.StatusTooManyRequests, "unverified nodes", fmt.Errorf("%d nodes have joined, and which ones the cluster has "+
				"is not known here: %s", n, why))
		}
		return false, err
	}
	room, err := s.waits(ctx, of, node, from)
	if err != nil {
		return false, err
	}
	if !room {
		return false, refuse(http.StatusTooManyRequests, "unknown node", errors.New("too many nodes wait that the cluster does not have"))
	}
	return false, refuse(http.StatusTooManyRequests, "unknown node",
		fmt.Errorf("waiting: the cluster %s has not told of a node %s", of.Cluster, node))
}

// waits notes that a node waits, which after a while is told. There may be no room for it.
func (s *Server) waits(ctx context.Context, of store.IngestToken, node, from string) (room bool, err error) {
	since, room, err := s.config.Tokens.NodeWaits(ctx, store.WaitingNode{Cluster: of.Cluster, Node: node, Token: of.ID, From: from})
	if err == nil && s.isLong(since) {
		s.notice(ctx, of.Cluster, identity.Record{What: identity.Unknown, Node: node, Token: of.ID, From: from})
	}
	return room, err
}

// isLong says whether a cluster had the time to tell of what waits.
func (s *Server) isLong(since time.Time) bool { return time.Since(since) >= s.config.unknownAfter }

// notice puts into the stream what was noticed of a sender.
func (s *Server) notice(ctx context.Context, cluster string, r identity.Record) {
	if s.noticed.again(cluster, r) {
		return
	}
	r.Time = time.Now().UTC()
	line, err := json.Marshal(r)
	if err == nil {
		line = append(line, '\n')
		_, err = s.stream.put(ctx, sender{source: source{cluster, Noticed}}, line, 1, chunkID("", 0, line))
	}
	if err != nil {
		s.config.Log.Error("cannot keep what was noticed of a sender", "cluster", cluster, "what", r.What, "node", r.Node, "error", err)
	}
}
