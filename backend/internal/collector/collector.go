// Package collector chooses the garbage collector's settings for the machine:
// how much garbage may gather (GOGC) and from which size on the collector
// works harder (GOMEMLIMIT).
package collector

import (
	"runtime/debug"
	"strconv"
)

// Percent is how much garbage may gather beside what is alive, in per cent of
// it. `haoked bench --only collector` compares settings: 200 turns under way at
// once, 3,000 visitors connected, 2 cores shared with load and simulator,
// Go 1.26, a busy machine:
//
//	setting                      collector, µs a turn   of   peak memory   collections for 1,000 turns
//	GOGC=50                               189           688      157 MB      2.3
//	GOGC=100 (Go's own)                   105           689      184 MB      1.1
//	GOGC=200                               43           685      250 MB      0.5
//	GOGC=400                               15           610      364 MB      0.3
//	GOGC=800                               15           730      479 MB      0.1
//	GOGC=off GOMEMLIMIT=400MiB              9           582      432 MB      0.1
//	GOGC=400 GOMEMLIMIT=1GiB               10           603      331 MB      0.2
//
// 200 takes the collector from 15 to 6 % of a turn for 66 MB. 400 would win
// four more for another 114 MB, which a machine of 2 GB that also runs a shop's
// office has better uses for; without a percentage, memory always grows to the
// limit, whether anybody writes or not.
const Percent = 200

// Settings are what the collector runs by.
type Settings struct {
	Percent int   // GOGC; -1: collect only at the limit
	Limit   int64 // GOMEMLIMIT in bytes; 0: none
	Memory  int64 // bytes that the choice rests on; 0: not known
	Inside  bool  // Memory is a container's or service's limit, not the machine's
}

// Choose derives the settings from what the program may use. Whoever sets GOGC
// or GOMEMLIMIT in the environment has the last word: that part is not chosen
// (Percent 0, Limit 0).
//
// The limit is four fifths of a container's memory, because exceeding it means
// being killed, and half of a machine's, which serves others too. It is soft:
// above it the collector runs more often, up to half of the processor time, and
// nothing fails. Off the heap there is little (the database's pages, about
// 10 MB), and the limit leaves room for it.
func Choose(getenv func(string) string, memory int64, inside bool) Settings {
	s := Settings{Memory: memory, Inside: inside}
	if getenv("GOGC") == "" {
		s.Percent = Percent
	}
	if getenv("GOMEMLIMIT") == "" && memory > 0 {
		s.Limit = memory / 2
		if inside {
			s.Limit = memory / 5 * 4
		}
	}
	return s
}

// Apply puts the chosen settings to work in this process.
func (s Settings) Apply() {
	if s.Percent != 0 {
		debug.SetGCPercent(s.Percent)
	}
	if s.Limit > 0 {
		debug.SetMemoryLimit(s.Limit)
	}
}

// Memory is how much memory this process may use, in bytes, and whether that
// is a limit set for it (a container's or a service's) and not the machine's
// whole memory. 0: this system does not tell.
func Memory() (size int64, inside bool) {
	whole := machine()
	if limit := granted(); limit > 0 && (whole == 0 || limit < whole) {
		return limit, true
	}
	return whole, false
}

// bytesOf reads a number of bytes as cgroup files hold it; 0: none ("max") or
// unreadable.
func bytesOf(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
