package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Certificate is what a sender shows instead of a token. Its key never leaves the sender.
type Certificate struct {
	// Serial names it within its cluster, in hexadecimal digits.
	Cluster, Serial, Kind string
	// Node is whose it is; empty for an API server's.
	Node string
	// Key is a hash of the public key.
	Key string
	// Pod is the uid of the pod that the node's sensor runs in, as its cluster told; empty where that is not known. It is kept of the
	// key under which a node speaks, and not read with a certificate.
	Pod string
	// Token is the id of the token that it was got with.
	Token string
	// Verified says that the cluster was known to have the node when it joined.
	Verified             bool
	MadeBy               string
	CreatedAt, ExpiresAt time.Time
	UsedAt               time.Time // zero: never
	UsedFrom             string
	RevokedAt            time.Time // zero: it is not
	RevokedBy            string
}

// Usable says why the certificate does not count any more; nil if it does.
func (c Certificate) Usable(now time.Time) error { return usable(c.ExpiresAt, c.RevokedAt, now) }

var (
	// ErrHeld says that a node speaks under another key.
	ErrHeld = errors.New("the node speaks under another key")
	// ErrKeyRevoked says that a person ended a certificate of this key.
	ErrKeyRevoked = errors.New("a certificate of this key was revoked")
)

// AddCertificate keeps a new certificate. A node has one key at a time: while a
// certificate under another one counts, the answer is ErrHeld. A key of which a
// certificate was revoked is refused for as long as that is remembered. Spends says
// that the token is used once more, which it may be only so often: ErrSpent; a node that
// joins again under the key it has spends nothing.
func (s *Store) AddCertificate(ctx context.Context, c Certificate, spends bool) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		now := unix(time.Now())
		var revoked int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM certificates WHERE cluster_id = ? AND node = ? AND key_hash = ?
			AND revoked_at > 0`, c.Cluster, c.Node, c.Key).Scan(&revoked); err != nil {
			return err
		}
		if revoked > 0 {
			return ErrKeyRevoked
		}
		var again int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM node_keys WHERE cluster_id = ? AND node = ? AND key_hash = ?`,
			c.Cluster, c.Node, c.Key).Scan(&again); err != nil {
			return err
		}
		if c.Node != "" {
			took, err := changes(ctx, tx, `INSERT INTO node_keys (cluster_id, node, key_hash, held_until, pod) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (cluster_id, node) DO UPDATE SET key_hash = excluded.key_hash, held_until = excluded.held_until, pod = CASE
				WHEN excluded.pod = '' AND node_keys.key_hash = excluded.key_hash THEN node_keys.pod ELSE excluded.pod END
				WHERE node_keys.key_hash = excluded.key_hash OR node_keys.held_until <= ?`, c.Cluster, c.Node, c.Key, unix(c.ExpiresAt), c.Pod,
				now)
			if err != nil {
				return err
			}
			if !took {
				return ErrHeld
			}
		}
		if spends && again == 0 {
			spent, err := changes(ctx, tx, `UPDATE ingest_tokens SET uses = uses + 1 WHERE substr(token_hash, 1, ?) = ?
				AND (max_uses = 0 OR uses < max_uses)`, tokenID, c.Token)
			if err != nil {
				return err
			}
			if !spent {
				return ErrSpent
			}
		}
		if err := run(ctx, tx, `INSERT INTO certificates (cluster_id, number, kind, node, key_hash, token_id, verified, made_by, created_at,
			expires_at, used_at, used_from) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, c.Cluster, c.Serial, c.Kind, c.Node, c.Key, c.Token,
			truth(c.Verified), c.MadeBy, unix(c.CreatedAt), unix(c.ExpiresAt), instant(c.UsedAt), c.UsedFrom); err != nil {
			return err
		}
		return run(ctx, tx, `DELETE FROM certificates WHERE cluster_id = ? AND node = ? AND key_hash = ? AND revoked_at = 0 AND number IN
			(SELECT number FROM certificates WHERE cluster_id = ? AND node = ? AND key_hash = ? AND revoked_at = 0
			ORDER BY created_at DESC, number DESC LIMIT 1000000000 OFFSET ?)`, c.Cluster, c.Node, c.Key,
			c.Cluster, c.Node, c.Key, certificatesOfAKey)
	})
	if err != nil {
		return fmt.Errorf("keep the certificate of %s: %w", c.Node, err)
	}
	return nil
}

// certificatesOfAKey is how many certificates of one key count: its holder can have it renewed without end. A sensor
// that could not keep the last few renews with the one it has.
const certificatesOfAKey = 16

func truth(is bool) int {
	if is {
		return 1
	}
	return 0
}

const certificateColumns = `cluster_id, number, kind, node, key_hash, token_id, verified, made_by, created_at, expires_at, used_at,
	used_from, revoked_at, revoked_by FROM certificates`

func scanCertificate(scan func(...any) error) (c Certificate, err error) {
	var created, expires, used, revoked int64
	var verified int
	err = scan(&c.Cluster, &c.Serial, &c.Kind, &c.Node, &c.Key, &c.Token, &verified, &c.MadeBy, &created, &expires, &used, &c.UsedFrom,
		&revoked, &c.RevokedBy)
	if err != nil {
		return Certificate{}, err
	}
	c.Verified = verified != 0
	c.CreatedAt, c.ExpiresAt, c.UsedAt, c.RevokedAt = fromUnix(created), fromUnix(expires), moment(used), moment(revoked)
	return c, nil
}

// Certificate is one of a cluster. ErrNotFound says that it was never given out,
// ErrExpired and ErrRevoked that it has ended.
func (s *Store) Certificate(ctx context.Context, cluster, serial string) (Certificate, error) {
	c, err := scanCertificate(s.db.QueryRowContext(ctx, `SELECT `+certificateColumns+` WHERE cluster_id = ? AND number = ?`,
		cluster, serial).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Certificate{}, ErrNotFound
	}
	if err != nil {
		return Certificate{}, fmt.Errorf("read certificate: %w", err)
	}
	return c, c.Usable(time.Now())
}

// Certificates lists all, those that ended too until Sweep forgets them.
func (s *Store) Certificates(ctx context.Context) ([]Certificate, error) {
	out, err := rowsOf(ctx, s.db, func(r *sql.Rows) (Certificate, error) { return scanCertificate(r.Scan) },
		`SELECT `+certificateColumns+` ORDER BY cluster_id, node, created_at, number`)
	if err != nil {
		return nil, fmt.Errorf("list certificates: %w", err)
	}
	return out, nil
}

// UsedCertificate notes when and from where a certificate was used.
func (s *Store) UsedCertificate(ctx context.Context, cluster, serial, from string, at time.Time) error {
	return s.change(ctx, `UPDATE certificates SET used_at = ?, used_from = ? WHERE cluster_id = ? AND number = ?`,
		unix(at), from, cluster, serial)
}

// RevokeCertificate ends a certificate and, with it, all of the same key. The node may
// join under another key at once.
func (s *Store) RevokeCertificate(ctx context.Context, cluster, serial, by string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		c, err := scanCertificate(tx.QueryRowContext(ctx, `SELECT `+certificateColumns+` WHERE cluster_id = ? AND number = ?
			AND revoked_at = 0`, cluster, serial).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("read certificate: %w", err)
		}
		if err := run(ctx, tx, `UPDATE certificates SET revoked_at = ?, revoked_by = ? WHERE cluster_id = ? AND node = ? AND key_hash = ?
			AND revoked_at = 0`, unix(time.Now()), by, c.Cluster, c.Node, c.Key); err != nil {
			return err
		}
		return run(ctx, tx, `UPDATE node_keys SET held_until = 0 WHERE cluster_id = ? AND node = ? AND key_hash = ?`, c.Cluster, c.Node, c.Key)
	})
}

// ReleaseNode ends what a node has, so that it may join under another key.
func (s *Store) ReleaseNode(ctx context.Context, cluster, node, by string) error {
	if node == "" {
		return ErrNotFound
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		ended, err := changes(ctx, tx, `UPDATE certificates SET revoked_at = ?, revoked_by = ? WHERE cluster_id = ? AND node = ?
			AND revoked_at = 0`, unix(time.Now()), by, cluster, node)
		if err != nil {
			return err
		}
		held, err := changes(ctx, tx, `DELETE FROM node_keys WHERE cluster_id = ? AND node = ?`, cluster, node)
		if err == nil && !ended && !held {
			return ErrNotFound
		}
		return err
	})
}

// RevokeJoined ends every certificate that was got with a token.
func (s *Store) RevokeJoined(ctx context.Context, token, by string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := run(ctx, tx, `UPDATE node_keys SET held_until = 0 WHERE EXISTS (SELECT 1 FROM certificates c WHERE c.token_id = ?
			AND c.cluster_id = node_keys.cluster_id AND c.node = node_keys.node AND c.key_hash = node_keys.key_hash)`, token); err != nil {
			return err
		}
		return run(ctx, tx, `UPDATE certificates SET revoked_at = ?, revoked_by = ? WHERE token_id = ? AND revoked_at = 0`,
			unix(time.Now()), by, token)
	})
}

// LeaveNode ends what a node has under a key, at its own wish: the key is not held
// against it, and another may take its place.
func (s *Store) LeaveNode(ctx context.Context, cluster, node, key string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		now := unix(time.Now())
		if err := run(ctx, tx, `UPDATE certificates SET expires_at = ? WHERE cluster_id = ? AND node = ? AND key_hash = ? AND expires_at > ?`,
			now, cluster, node, key, now); err != nil {
			return err
		}
		return run(ctx, tx, `UPDATE node_keys SET held_until = 0 WHERE cluster_id = ? AND node = ? AND key_hash = ?`, cluster, node, key)
	})
}

// NodeKey is the key under which a node speaks, and the pod of its sensor where that is known; empty if none is held.
func (s *Store) NodeKey(ctx context.Context, cluster, node string) (key, pod string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT key_hash, pod FROM node_keys WHERE cluster_id = ? AND node = ? AND held_until > ?`,
		cluster, node, unix(time.Now())).Scan(&key, &pod)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("read the key of %s: %w", node, err)
	}
	return key, pod, nil
}

// NamesPods says whether a sensor of a cluster has said in which pod it runs.
func (s *Store) NamesPods(ctx context.Context, cluster string) (named bool, err error) {
	var n int
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM node_keys WHERE cluster_id = ? AND pod <> ''`, cluster).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("ask for the pods of sensors of %s: %w", cluster, err)
	}
	return n > 0, nil
}

// HeldNodes is how many nodes of a cluster speak under a key.
func (s *Store) HeldNodes(ctx context.Context, cluster string) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM node_keys WHERE cluster_id = ? AND held_until > ?`,
		cluster, unix(time.Now())).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count nodes of %s: %w", cluster, err)
	}
	return n, nil
}

// What ended is listed for a week; a key that was revoked is refused for a year.
const (
	endedListed = 7 * day
	keysRefused = 365 * day
)

// forgetEnded removes tokens and certificates that ended long ago.
func (s *Store) forgetEnded(ctx context.Context, now time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		long, longer := unix(now.Add(-endedListed)), unix(now.Add(-keysRefused))
		if err := run(ctx, tx, `DELETE FROM ingest_tokens WHERE (expires_at > 0 AND expires_at < ? AND revoked_at = 0)
			OR (revoked_at > 0 AND revoked_at < ?)`, long, long); err != nil {
			return err
		}
		if err := run(ctx, tx, `DELETE FROM certificates WHERE expires_at < ? AND (revoked_at = 0 OR revoked_at < ?)`, long, longer); err != nil {
			return err
		}
		if err := run(ctx, tx, `DELETE FROM waiting_nodes WHERE last_at < ?`, unix(now.Add(-waitsFor))); err != nil {
			return err
		}
		return run(ctx, tx, `DELETE FROM node_keys WHERE held_until < ?`, long)
	})
}
