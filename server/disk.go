package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/store"
)

// A disk that fills stops what fills it before it is full: events are answered with 503, so
// that senders keep them, images wait, facts are not saved. What is there can be read and
// decided about, and all goes on by itself when there is room again. See ADR 480.

// Reserve is how much of a disk is to stay free.
type Reserve struct {
	Bytes   uint64
	Percent float64
}

// DefaultReserve is one GiB or five hundredths of the disk, whichever is less.
const DefaultReserve = "1GiB,5%"

// ReadReserve reads sizes such as 2GiB or 5%; of several with commas between the least counts.
func ReadReserve(text string) (r Reserve, err error) {
	for _, part := range strings.Split(text, ",") {
		part = strings.TrimSpace(part)
		if number, ok := strings.CutSuffix(part, "%"); ok {
			if r.Percent, err = strconv.ParseFloat(number, 64); err != nil || !(r.Percent > 0 && r.Percent <= 50) {
				return r, fmt.Errorf("%q: want more than 0%% and at most 50%%", part)
			}
			continue
		}
		if r.Bytes, err = readSize(part); err != nil {
			return r, err
		}
	}
	return r, nil
}

func readSize(text string) (uint64, error) {
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			n, err := strconv.ParseUint(number, 10, 20)
			if err == nil && n > 0 {
				return n << (10 * (i + 1)), nil
			}
		}
	}
	return 0, fmt.Errorf("%q: want a size such as 512MiB or 2GiB, or hundredths of the disk such as 5%%", text)
}

// of is the reserve on a disk of some size.
func (r Reserve) of(total uint64) uint64 {
	part := uint64(float64(total) * r.Percent / 100)
	switch {
	case r.Percent == 0:
		return r.Bytes
	case r.Bytes == 0:
		return part
	}
	return min(part, r.Bytes)
}

// room is what is known of the disk.
type room struct {
	datadir.Space
	Reserve uint64
	// Why says why nothing more is taken; empty while there is room.
	Why   string
	Since time.Time
}

// disk watches the file systems that a server writes to.
type disk struct {
	data    datadir.Dir
	folders []string
	reserve Reserve
	log     *slog.Logger
	space   func(folder string) (datadir.Space, error)
	mu      struct {
		sync.Mutex
		room
		looked time.Time
		// refused is when the records last said that they have no room, which is another disk's
		// where they are another machine's.
		refused time.Time
	}
}

// newDisk makes room for a start if there is none, and looks for the first time.
func newDisk(data datadir.Dir, where string, reserve Reserve, log *slog.Logger) *disk {
	d := &disk{data: data, folders: []string{string(data)}, reserve: reserve, log: log, space: datadir.SpaceOf}
	if !strings.Contains(where, "://") && where != data.Database() { // a file of SQLite in another folder
		d.folders = append(d.folders, filepath.Dir(where))
	}
	if d.look(time.Now()).Why != "" && data.LetBallastGo() {
		log.Warn("the ballast was let go, to start on a disk that is full")
	}
	return d
}

const (
	// askAgain is how old a look at the disk may be for who asks whether there is room.
	askAgain = 50 * time.Millisecond
	// refusedFor is for how long after a refusal of the records nothing is taken.
	refusedFor = 10 * time.Second
	// ballast is the room that is kept for a start, or a hundredth of a small disk.
	ballast = 16 << 20
)

// look asks how much room there is on the fullest of the disks.
func (d *disk) look(now time.Time) room {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.looked = now
	for i, folder := range d.folders {
		s, err := d.space(folder)
		if err != nil {
			d.log.Debug("cannot ask for the room on a disk", "folder", folder, "error", err)
			continue
		}
		if i == 0 || s.Free < d.mu.Free {
			d.mu.Space, d.mu.room.Reserve = s, d.reserve.of(s.Total)
		}
	}
	d.mu.tell(d.judge(now), now, d.log)
	return d.mu.room
}

// judge says why nothing more is taken, with mu held. There is room again when there is a
// quarter more than the reserve, so that one who waits at the mark does not come and go.
func (d *disk) judge(now time.Time) string {
	r := d.mu.room
	want := r.Reserve
	if r.Why != "" {
		want += want / 4
	}
	switch {
	case r.Total > 0 && r.Free < want:
		return fmt.Sprintf("the disk of %s is almost full: %s of %s are free, and %s are kept free", d.data, sized(r.Free), sized(r.Total),
			sized(r.Reserve))
	case !d.mu.refused.IsZero() && now.Sub(d.mu.refused) < refusedFor:
		return "the database has no room on its disk"
	}
	return ""
}

func (r *room) tell(why string, now time.Time, log *slog.Logger) {
	switch {
	case why != "" && r.Why == "":
		r.Since = now
		log.Error("there is no room: events are refused with 503, images wait, facts are not saved", "why", why)
	case why == "" && r.Why != "":
		log.Info("there is room again: events are taken", "after", now.Sub(r.Since).Round(time.Second))
		r.Since = time.Time{}
	}
	r.Why = why
}

func sized(n uint64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	v := float64(n)
	for ; v >= 1024 && i < len(units)-1; i++ {
		v /= 1024
	}
	return strconv.FormatFloat(v, 'f', min(i, 1), 64) + " " + units[i]
}

// now is what is known of the disk, asked anew if that is not of this moment.
func (d *disk) now() room {
	d.mu.Lock()
	r, old := d.mu.room, time.Since(d.mu.looked) > askAgain
	d.mu.Unlock()
	if old {
		return d.look(time.Now())
	}
	return r
}

// hasRoom is nil if more may be written.
func (d *disk) hasRoom() error {
	if why := d.now().Why; why != "" {
		return errors.New(why)
	}
	return nil
}

// noRoom notes an error of who writes, if it says that there is no room.
func (d *disk) noRoom(err error) {
	if !store.Full(err) && !errors.Is(err, syscall.ENOSPC) {
		return
	}
	d.mu.Lock()
	d.mu.refused = time.Now()
	d.mu.Unlock()
	d.look(time.Now())
}

// wait returns when there is room.
func (d *disk) wait(ctx context.Context) error {
	for d.hasRoom() != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return nil
}

// watch looks every second, keeps the ballast while there is room, and lets it go when there
// is none left.
func (d *disk) watch(ctx context.Context) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		r := d.look(time.Now())
		size := min(ballast, r.Total/100)
		switch {
		case r.Why == "":
			if err := d.data.KeepBallast(int64(size)); err != nil {
				d.log.Debug("no ballast", "error", err)
			}
		case r.Free < size/4:
			d.data.LetBallastGo()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}
