package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// The kinds and flags of program.bpf.c.
const (
	kindExec = 1
	kindExit = 2

	pathCut      = 1
	argumentsCut = 2
	unlinked     = 4
	added        = 8
)

// namespaces are numbers in the order of namespaceNames.
type namespaces [7]uint32

type kernelAncestor struct {
	Started              uint64
	PID, UID, GID, Mount uint32
	Group                uint8
	_                    [7]uint8
	Name                 [16]byte
}

// header is struct event of program.bpf.c.
type header struct {
	Time, Started, Capabilities                 uint64
	Kind, PID, Inner, UID, GID, ExitCode, Flags uint32
	Namespaces                                  namespaces
	Path, Arguments                             uint16
	Ancestors, Groups                           uint8
	_                                           [2]uint8
	Name                                        [16]byte
	Group                                       [4]struct {
		Size       uint16
		Names, Cut uint8
	}
	Ancestor [8]kernelAncestor
}

// kernelEvent is one event as the kernel wrote it.
type kernelEvent struct {
	header
	path      string
	groups    []group
	arguments []string
}

// group is a control group by its names from the root down. Cut says that there
// are names above or in these that were not read.
type group struct {
	names []string
	cut   bool
}

// decode reads one event. It keeps nothing of raw.
func decode(raw []byte) (*kernelEvent, error) {
	e := &kernelEvent{}
	n, err := binary.Decode(raw, binary.LittleEndian, &e.header)
	if err != nil {
		return nil, fmt.Errorf("decode an event's header: %w", err)
	}
	if e.Kind != kindExec && e.Kind != kindExit || int(e.Groups) > len(e.Group) || int(e.Ancestors) > len(e.Ancestor) {
		return nil, errors.New("decode an event: not of these programs")
	}
	rest := string(raw[n:])
	path, rest, err := take(rest, int(e.Path))
	if err != nil {
		return nil, err
	}
	e.path = strings.TrimSuffix(path, "\x00")
	for _, g := range e.Group[:e.Groups] {
		var text string
		if text, rest, err = take(rest, int(g.Size)); err != nil {
			return nil, err
		}
		e.groups = append(e.groups, group{upsideDown(text), g.Cut != 0})
	}
	arguments, _, err := take(rest, int(e.Arguments))
	if err != nil {
		return nil, err
	}
	if arguments != "" {
		e.arguments = strings.Split(strings.TrimSuffix(arguments, "\x00"), "\x00")
	}
	return e, nil
}

func take(from string, n int) (taken, rest string, err error) {
	if n > len(from) {
		return "", "", errors.New("decode an event: shorter than it says")
	}
	return from[:n], from[n:], nil
}

// upsideDown splits a group's names, which are nearest first.
func upsideDown(text string) []string {
	if text == "" {
		return nil
	}
	names := strings.Split(strings.TrimSuffix(text, "\x00"), "\x00")
	for i, j := 0, len(names)-1; i < j; i, j = i+1, j-1 {
		names[i], names[j] = names[j], names[i]
	}
	return names
}

// text is a name that fills its array or ends in 0.
func text(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}
