//go:build !linux

package loadtest

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// errNotHere: only Linux tells these figures without further libraries.
var errNotHere = errors.New("not measured on " + runtime.GOOS)

func pinned(_ []int, start func() error) error { return start() }

func memory(int) (int64, error) { return 0, errNotHere }

func peakMemory(int) (int64, error) { return 0, errNotHere }

func openFiles(int) int { return 0 }

func processor(int) (time.Duration, error) { return 0, errNotHere }

// fileLimit is a guess that holds everywhere; there is no portable way to ask.
func fileLimit() int { return 8192 }

func machine() string {
	return fmt.Sprintf("%d x %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
}
