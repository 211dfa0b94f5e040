package backoff

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MostAsked is the longest pause that a server may ask for: it is not the one to say that nobody asks it any more.
const MostAsked = 24 * time.Hour

// Asked reads a Retry-After header (RFC 9110, section 10.2.3), which is a number of seconds or a date: how long the server
// asks to be left alone, from now on, at most MostAsked. It reports false where the header says nothing of the kind.
func Asked(header string, now time.Time) (wait time.Duration, said bool) {
	header = strings.TrimSpace(header)
	if header != "" && strings.Trim(header, "0123456789") == "" {
		seconds, err := strconv.ParseInt(header, 10, 64)
		if most := int64(MostAsked / time.Second); err != nil || seconds > most { // of digits alone it is only too long
			seconds = most
		}
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), MostAsked), true
}
