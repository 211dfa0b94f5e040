//go:build !unix

package bench

import "time"

// cpuTime is not known here; results then say 0.
func cpuTime() time.Duration { return 0 }

func cpuTimeOfChildren() time.Duration { return 0 }
