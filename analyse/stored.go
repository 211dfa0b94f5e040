package analyse

import (
	"cmp"
	"encoding/json"
)

// ReadPath reads a path as it was stored, by this version or an earlier one: those
// knew no entries but exposed containers with vulnerabilities.
func ReadPath(body []byte) (*Path, error) {
	p := &Path{}
	if err := json.Unmarshal(body, p); err != nil {
		return nil, err
	}
	p.EntryClass = cmp.Or(p.EntryClass, Known)
	p.Confidence = cmp.Or(p.Confidence, confidences[Known])
	return p, nil
}

// Identity is the id that this version gives the path: one that an earlier version
// stored may have another.
func (p *Path) Identity() string {
	return identity(p.EntryClass, group{kind: p.Foothold.Kind, id: p.Foothold.ID}, group{kind: p.Target.Kind, id: p.Target.ID})
}

// WhilePossible is the id that a known path had while nobody had read the image of its
// foothold; empty for others.
func (p *Path) WhilePossible() string {
	if p.EntryClass != Known {
		return ""
	}
	return identity(Possible, group{kind: p.Foothold.Kind, id: p.Foothold.ID}, group{kind: p.Target.Kind, id: p.Target.ID})
}
