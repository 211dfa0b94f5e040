package vuln

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Document is what somebody put beside an image, such as in its registry, as it came.
type Document struct {
	// From is where it was found, in words for people.
	From string `json:"from"`
	Body []byte `json:"body"`
}

// beside are the statements of one document that was found beside an image.
type beside struct {
	from string
	held memory
}

// mostAttested bounds a document, in bytes, and mostSubjects of how many things an attestation may speak.
const (
	mostAttested = 8 << 20
	mostSubjects = 1000
)

// Beside is the database with what documents say that were found beside an image, which has those digests. They speak where nobody
// else does: not where somebody imported a statement, and not where the distribution itself says something of the match, as whoever
// may put such a document there would decide otherwise what is vulnerable. What cannot be read of them does not count, and is told.
func (db *DB) Beside(ctx context.Context, image []string, documents ...Document) (out *DB, counted int, unread []error) {
	out = &DB{sources: db.sources, status: db.status, close: db.close}
	for _, d := range documents {
		held, err := statementsOf(ctx, image, d.Body)
		if err != nil {
			unread = append(unread, fmt.Errorf("%s: %w", d.From, err))
			continue
		}
		if len(held) > 0 {
			out.beside, counted = append(out.beside, beside{d.From, held}), counted+1
		}
	}
	return out, counted, unread
}

// statementsOf reads one document; a bill of materials without analyses has none.
func statementsOf(ctx context.Context, image []string, body []byte) (memory, error) {
	body, err := unwrapped(image, body)
	if err != nil {
		return nil, err
	}
	var head struct {
		Context         json.RawMessage `json:"@context"`
		BOMFormat       string          `json:"bomFormat"`
		Vulnerabilities []struct {
			Analysis *struct{} `json:"analysis"`
		} `json:"vulnerabilities"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return nil, fmt.Errorf("want a document of VEX: %w", err)
	}
	held, status := memory{}, SourceStatus{ImportedAt: time.Now().UTC()}
	in := &intake{ctx: ctx, limits: DefaultLimits, put: held.put, status: &status}
	switch {
	case bytes.Contains(head.Context, []byte("openvex")):
		err = in.openVEX("", body)
	case head.BOMFormat == "CycloneDX":
		for _, v := range head.Vulnerabilities {
			if v.Analysis != nil {
				return held, in.cycloneVEX("", body)
			}
		}
		return nil, nil
	default:
		return nil, errors.New("want an OpenVEX document, or one of CycloneDX with analyses")
	}
	if err == nil && status.VEX == 0 && len(status.Skipped) > 0 {
		err = errors.New(status.Skipped[0].Why)
	}
	return held, err
}

// attestation is a statement of in-toto, as far as it is used.
type attestation struct {
	Type    string `json:"_type"`
	Subject []struct {
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
	Predicate json.RawMessage `json:"predicate"`
}

// unwrapped is the document within an attestation: in a bundle of Sigstore, in an envelope (DSSE), or by itself. An attestation of
// another image says nothing of this one. No signature is verified.
func unwrapped(image []string, body []byte) ([]byte, error) {
	if len(body) > mostAttested {
		return nil, fmt.Errorf("want at most %d MiB", mostAttested>>20)
	}
	var outer struct {
		Bundle  *struct{ Payload string } `json:"dsseEnvelope"`
		Payload string                    `json:"payload"`
		attestation
	}
	if err := json.Unmarshal(body, &outer); err != nil {
		return nil, fmt.Errorf("want JSON: %w", err)
	}
	said := outer.attestation
	if outer.Bundle != nil {
		outer.Payload = outer.Bundle.Payload
	}
	if outer.Payload != "" {
		inner, err := base64.StdEncoding.DecodeString(outer.Payload)
		if err == nil {
			err = json.Unmarshal(inner, &said)
		}
		if err != nil {
			return nil, fmt.Errorf("want an envelope with a statement of in-toto: %w", err)
		}
	}
	if !strings.HasPrefix(said.Type, "https://in-toto.io/Statement/") {
		if outer.Payload != "" {
			return nil, errors.New("want an envelope with a statement of in-toto")
		}
		return body, nil
	}
	if len(said.Subject) > mostSubjects {
		return nil, fmt.Errorf("want an attestation of at most %d things", mostSubjects)
	}
	for _, s := range said.Subject {
		for algorithm, hex := range s.Digest {
			if slices.Contains(image, algorithm+":"+hex) {
				return said.Predicate, nil
			}
		}
	}
	return nil, errors.New("it is an attestation of something else than this image")
}

// besides is the latest statement of what was found beside the image, with where.
func (db *DB) besides(m *Match) (best *Statement, from string, err error) {
	for _, b := range db.beside {
		for _, id := range append([]string{m.ID}, m.Aliases...) {
			found, err := values[Statement](b.held, "x"+id)
			if err != nil {
				return nil, "", err
			}
			for i := range found {
				if found[i].speaksOf(m.Package) && (best == nil || !found[i].At.Before(best.At)) {
					best, from = &found[i], b.from
				}
			}
		}
	}
	return best, from, nil
}

// hear has what was found beside the image count where nobody else says anything; otherwise it is only told.
func (db *DB) hear(m *Match) error {
	heard, from, err := db.besides(m)
	if heard == nil || err != nil || m.Said != nil || m.Dismissed != "" {
		return err
	}
	heard.Found = from
	if m.Said = heard; m.Vendor != "" {
		return nil // the distribution says something of it: whoever may push beside an image does not overrule that
	}
	if why := dismissal(heard, "", "", nil); why != "" {
		m.Dismissed = fmt.Sprintf("%s (%s; no signature is verified)", why, cmp.Or(from, "found beside the image"))
	}
	return nil
}
