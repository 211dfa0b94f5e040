package server

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/datadir"
)

// small is a disk of 1,000 units whose room a test says.
func small(t *testing.T, free *uint64) *disk {
	t.Helper()
	d := &disk{data: datadir.Dir(t.TempDir()), folders: []string{"a", "b"}, reserve: Reserve{Bytes: 100},
		log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	d.space = func(folder string) (datadir.Space, error) {
		if folder == "b" { // another disk, with more room
			return datadir.Space{Free: 900, Total: 1000}, nil
		}
		return datadir.Space{Free: *free, Total: 1000}, nil
	}
	return d
}

func TestEventsAreRefusedBelowTheMarkAndTakenAgainWithSomeRoomAboveIt(t *testing.T) {
	var free uint64
	d := small(t, &free)
	for _, step := range []struct {
		free    uint64
		refused bool
	}{{500, false}, {101, false}, {100, false}, {99, true}, {0, true}, {110, true}, {124, true}, {125, false}, {100, false}, {99, true}} {
		free = step.free
		r := d.look(time.Now())
		if refused := r.Why != ""; refused != step.refused || refused == r.Since.IsZero() || r.Free != step.free {
			t.Errorf("%d free: %+v", step.free, r)
		}
	}
	if why := d.look(time.Now()).Why; !strings.Contains(why, "99 bytes of 1000 bytes are free") {
		t.Error(why)
	}
}

func TestADatabaseWithoutRoomIsAskedAgainAfterAWhile(t *testing.T) {
	free := uint64(500)
	d := small(t, &free)
	d.noRoom(errors.New("something else"))
	if err := d.hasRoom(); err != nil {
		t.Error(err)
	}
	d.noRoom(fmt.Errorf("store: %w", syscall.ENOSPC))
	if err := d.hasRoom(); err == nil || !strings.Contains(err.Error(), "no room on its disk") {
		t.Error(err)
	}
	if r := d.look(time.Now().Add(refusedFor)); r.Why != "" {
		t.Errorf("after a while: %+v", r)
	}
}

func TestADiskThatCannotBeAskedRefusesNothing(t *testing.T) {
	d := small(t, new(uint64))
	d.space = func(string) (datadir.Space, error) { return datadir.Space{}, errors.New("no such call") }
	if r := d.look(time.Now()); r.Why != "" {
		t.Errorf("%+v", r)
	}
}

func TestAStartOnAFullDiskLetsTheBallastGo(t *testing.T) {
	data := datadir.Dir(t.TempDir())
	if err := data.KeepBallast(4096); err != nil {
		t.Fatal(err)
	}
	there := func() bool {
		info, err := os.Stat(filepath.Join(string(data), "ballast"))
		return err == nil && info.Size() == 4096
	}
	quiet := slog.New(slog.DiscardHandler)
	if newDisk(data, data.Database(), Reserve{Bytes: 1}, quiet); !there() {
		t.Error("there is room, and the ballast is gone")
	}
	if newDisk(data, data.Database(), Reserve{Bytes: 1 << 62}, quiet); there() {
		t.Error("there is no room, and the ballast is there")
	}
}

func TestTheReserveOfADisk(t *testing.T) {
	const GiB = 1 << 30
	for text, want := range map[string]uint64{"1GiB,5%": GiB, "5%": 5 * GiB, "2GiB": 2 * GiB, "512MiB": GiB / 2, "20GiB, 1%": GiB,
		"0.5%": GiB / 2} {
		if r, err := ReadReserve(text); err != nil || r.of(100*GiB) != want {
			t.Errorf("%s: %d, %v; want %d", text, r.of(100*GiB), err, want)
		}
	}
	if r, err := ReadReserve(DefaultReserve); err != nil || r.of(10*GiB) != GiB/2 {
		t.Errorf("of a small disk: %d, %v", r.of(10*GiB), err)
	}
	for _, bad := range []string{"", "5", "GiB", "0GiB", "-1GiB", "51%", "0%", "NaN%", "1e9GiB", "9999999999GiB", "5%,x"} {
		if r, err := ReadReserve(bad); err == nil {
			t.Errorf("%q: %+v", bad, r)
		}
	}
}
