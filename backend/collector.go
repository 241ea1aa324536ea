package backend

import (
	"os"

	"haoke/backend/internal/collector"
)

// TuneCollector sets the garbage collector for this machine, unless GOGC and
// GOMEMLIMIT say otherwise. Programs call it once, before New: it concerns the
// whole process.
func TuneCollector() {
	memory, inside := collector.Memory()
	collector.Choose(os.Getenv, memory, inside).Apply()
}
