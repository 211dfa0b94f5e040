package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Sensor is what a node's sensor last said of itself. Status is JSON of a SensorStatus.
type Sensor struct {
	Cluster, Node string
	SeenAt        time.Time
	// Known says that the cluster has such a node, as far as its graph goes.
	Known  bool
	Status []byte
}

// SensorStatus is what is kept of a sensor's word on itself: known fields, of bounded length.
type SensorStatus struct {
	Version   int               `json:"version"`
	Node      string            `json:"node"`
	Boot      string            `json:"boot"`
	Build     string            `json:"build"`
	Kernel    string            `json:"kernel"`
	Started   time.Time         `json:"started"`
	Interval  int               `json:"intervalSeconds"`
	Probes    []SensorProbe     `json:"probes"`
	Seen      uint64            `json:"seen"`
	Sent      uint64            `json:"sent"`
	Waiting   uint64            `json:"waiting"`
	Lost      map[string]uint64 `json:"lost"`
	Processor float64           `json:"processorSeconds"`
	Memory    uint64            `json:"memoryBytes"`
	Ends      bool              `json:"ends,omitempty"`
}

// SensorProbe is one thing that a sensor looks at.
type SensorProbe struct {
	Name  string `json:"name"`
	State string `json:"state"`
	Why   string `json:"why,omitempty"`
}

const (
	// MaxSensorStatus bounds the text that a sensor may send, statusText each text that is kept of it,
	// statusParts its probes and its reasons of losses.
	MaxSensorStatus = 64 << 10
	statusText      = 256
	statusParts     = 32
)

// ReadSensorStatus reads what a sensor says of itself. Fields that are not known are left
// out, texts that are too long are cut; more probes or reasons than there can be are refused,
// since one that is left out could be the one that is off.
func ReadSensorStatus(text []byte) (st SensorStatus, err error) {
	if len(text) > MaxSensorStatus {
		return st, fmt.Errorf("a sensor's status has more than %d bytes", MaxSensorStatus)
	}
	if err := json.Unmarshal(text, &st); err != nil {
		return SensorStatus{}, errors.New("a sensor's status is not the JSON that is wanted")
	}
	if len(st.Probes) > statusParts || len(st.Lost) > statusParts {
		return SensorStatus{}, fmt.Errorf("a sensor's status names more than %d probes or reasons of losses", statusParts)
	}
	for _, s := range []*string{&st.Node, &st.Boot, &st.Build, &st.Kernel} {
		*s = worded(*s)
	}
	for i := range st.Probes {
		p := &st.Probes[i]
		p.Name, p.State, p.Why = worded(p.Name), worded(p.State), worded(p.Why)
	}
	lost := map[string]uint64{}
	for why, n := range st.Lost {
		lost[worded(why)] += n
	}
	st.Lost = lost
	return st, nil
}

// worded is a text without what no terminal or page should be told, and not longer than is kept.
func worded(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, strings.ToValidUTF8(s, "·"))
	if len(s) > statusText {
		s = strings.ToValidUTF8(s[:statusText-len("…")], "") + "…"
	}
	return s
}

// keptStatus is what is kept of a sensor's word.
func keptStatus(text []byte) (string, error) {
	st, err := ReadSensorStatus(text)
	if err != nil {
		return "", err
	}
	kept, err := json.Marshal(st)
	return string(kept), err
}

// strangers are nodes that no graph knows: who holds a token chooses their names, so few of
// a cluster are kept, those that spoke last. Nodes that are known are as many as there are.
const strangers = 64

// PutSensor replaces what is known of a node's sensor, unless that is newer. Of its status
// the known fields are kept.
func (s *Store) PutSensor(ctx context.Context, n Sensor) error {
	text, err := keptStatus(n.Status)
	if err != nil {
		return fmt.Errorf("store sensor of %s: %w", n.Node, err)
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		known := 0
		if n.Known {
			known = 1
		}
		if err := run(ctx, tx, `INSERT INTO sensors (cluster_id, node, seen_at, known, status) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (cluster_id, node) DO UPDATE SET seen_at = excluded.seen_at, known = excluded.known, status = excluded.status
			WHERE excluded.seen_at >= sensors.seen_at`, n.Cluster, n.Node, unix(n.SeenAt), known, text); err != nil || n.Known {
			return err
		}
		return run(ctx, tx, `DELETE FROM sensors WHERE cluster_id = ? AND node IN
			(SELECT node FROM sensors WHERE cluster_id = ? AND known = 0 ORDER BY seen_at DESC, node LIMIT 1000000000 OFFSET ?)`,
			n.Cluster, n.Cluster, strangers)
	})
	if err != nil {
		return fmt.Errorf("store sensor of %s: %w", n.Node, err)
	}
	return nil
}

// Sensors lists the sensors of a cluster, or of all if it is "".
func (s *Store) Sensors(ctx context.Context, cluster string) ([]Sensor, error) {
	out, err := rowsOf(ctx, s.db, func(r *sql.Rows) (n Sensor, err error) {
		var at, known int64
		err = r.Scan(&n.Cluster, &n.Node, &at, &known, &n.Status)
		n.SeenAt, n.Known = fromUnix(at), known != 0
		return n, err
	}, `SELECT cluster_id, node, seen_at, known, status FROM sensors WHERE ? = '' OR cluster_id = ? ORDER BY cluster_id, node`,
		cluster, cluster)
	if err != nil {
		return nil, fmt.Errorf("list sensors: %w", err)
	}
	return out, nil
}

// ForgetSensor removes a node that is gone for good.
func (s *Store) ForgetSensor(ctx context.Context, cluster, node string) error {
	return s.change(ctx, `DELETE FROM sensors WHERE cluster_id = ? AND node = ?`, cluster, node)
}

// fillSensors brings older reports to what is kept, and forgets those that cannot be read: the
// sensor reports again within minutes.
func fillSensors(ctx context.Context, tx *sql.Tx) error {
	type row struct {
		cluster, node string
		status        []byte
	}
	rows, err := rowsOf(ctx, tx, func(r *sql.Rows) (n row, err error) { return n, r.Scan(&n.cluster, &n.node, &n.status) },
		`SELECT cluster_id, node, status FROM sensors`)
	if err != nil {
		return err
	}
	for _, n := range rows {
		text, err := keptStatus(n.status)
		if err != nil {
			err = run(ctx, tx, `DELETE FROM sensors WHERE cluster_id = ? AND node = ?`, n.cluster, n.node)
		} else {
			err = run(ctx, tx, `UPDATE sensors SET status = ? WHERE cluster_id = ? AND node = ?`, text, n.cluster, n.node)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// change runs a statement that must meet a row.
func (s *Store) change(ctx context.Context, query string, args ...any) error {
	res, err := s.db.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return ErrNotFound
}
