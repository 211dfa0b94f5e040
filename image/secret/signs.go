package secret

import (
	"bytes"
	"encoding/binary"
)

// shortest is how long a sign is at the least: so that every other place of a text is enough to look at.
const shortest = 4

// known says by a hash of three bytes that no sign has them at its beginning, or one further: of nearly every place that is all that is
// asked. beginnings then has the signs.
var known, beginnings = func() (known [1 << 11]uint64, by map[uint32][]signOf) {
	by = map[uint32][]signOf{}
	for d := range detectors {
		for _, sign := range detectors[d].signs {
			if len(sign) < shortest {
				panic("a sign of " + detectors[d].kind + " is too short: " + sign)
			}
			for further := range 2 {
				three := uint32(sign[further]) | uint32(sign[further+1])<<8 | uint32(sign[further+2])<<16
				by[three] = append(by[three], signOf{d, further, []byte(sign)})
				known[hashed(three)>>6] |= 1 << (hashed(three) & 63)
			}
		}
	}
	return known, by
}()

// signOf is a sign of a detector, known by what it has so much further.
type signOf struct {
	detector, further int
	sign              []byte
}

func hashed(three uint32) uint32 { return three * 0x9e3779b1 >> 15 }

// searchSigns tells of every sign in a text, by its detector and where it begins, until told to stop: it says then that it did.
func searchSigns(text []byte, tell func(detector, at int) bool) (stopped bool) {
	i := 0
	for ; i+4 <= len(text); i += 2 {
		three := binary.LittleEndian.Uint32(text[i:i+4]) & 0xffffff
		if h := hashed(three); known[h>>6]>>(h&63)&1 == 0 {
			continue
		}
		if tellSigns(text, i, three, tell) {
			return true
		}
	}
	if i+3 <= len(text) {
		return tellSigns(text, i, uint32(text[i])|uint32(text[i+1])<<8|uint32(text[i+2])<<16, tell)
	}
	return false
}

func tellSigns(text []byte, i int, three uint32, tell func(detector, at int) bool) (stopped bool) {
	for _, s := range beginnings[three] {
		at := i - s.further
		if at >= 0 && bytes.HasPrefix(text[at:], s.sign) && !tell(s.detector, at) {
			return true
		}
	}
	return false
}
