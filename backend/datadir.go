package backend

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/gofrs/flock"

	"haoke/backend/internal/logs"
)

// DefaultDataDir is where the operating system wants a program's data:
// XDG_STATE_HOME or ~/.local/share on Linux, %ProgramData% or %AppData% on
// Windows, Application Support on macOS.
func DefaultDataDir() string {
	switch runtime.GOOS {
	case "windows":
		if d := os.Getenv("HAOKE_PROGRAMDATA"); d != "" {
			return filepath.Join(d, "Haoke")
		}
		// A service of this machine keeps its data there; its window joins it. An
		// account that may not look in gets the reason, not a second server.
		shared := filepath.Join(os.Getenv("ProgramData"), "Haoke")
		if _, err := os.Stat(filepath.Join(shared, fileDatabase)); err == nil || errors.Is(err, os.ErrPermission) {
			return shared
		}
		if d := os.Getenv("AppData"); d != "" {
			return filepath.Join(d, "Haoke")
		}
		return shared
	case "darwin":
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, "Library", "Application Support", "Haoke")
		}
	}
	if d := os.Getenv("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "haoke")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "share", "haoke")
	}
	return "haoke-data"
}

// Files of the data folder.
const (
	fileDatabase = "haoke.db"
	fileLock     = "haoke.lock"
	fileRuntime  = "runtime.json"
	fileConfig   = "config.toml"
	fileLog      = "haoke.log" // of a program that nobody watches
)

// maxLog bounds the log's file in bytes; the one before it is kept as well.
const maxLog = 5 << 20

// LogFile is the log of a program without a terminal, of a bounded size.
type LogFile = logs.File

// OpenLog opens the log of a data folder, which may not exist yet.
func OpenLog(dataDir string) (*LogFile, error) {
	return logs.OpenFile(filepath.Join(dataDir, fileLog), maxLog)
}

// HeldError says that another process serves the data folder already. The
// window becomes its client; a second daemon gives up.
type HeldError struct {
	Dir     string
	Running Runtime // zero when that process is still starting
}

// Error implements error.
func (e *HeldError) Error() string {
	who := "another Haoke"
	if e.Running.PID != 0 {
		who = fmt.Sprintf("Haoke process %d (admin page %s)", e.Running.PID, e.Running.Admin)
	}
	return fmt.Sprintf("%s uses the data folder %s already; stop it, or choose another folder with --data", who, e.Dir)
}

// Runtime is what a running server leaves for its own window in runtime.json
// (mode 0600): where it listens and a token that proves that the reader may
// read the data folder.
type Runtime struct {
	PID     int    `json:"pid"`
	Public  string `json:"public"`
	Admin   string `json:"admin"`
	Token   string `json:"token"`
	Version string `json:"version"`
}

// lockDataDir makes the folder and takes its exclusive lock.
func lockDataDir(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be made: %w; choose another with --data, or set HAOKE_DATA", dir, err)
	}
	probe, err := os.CreateTemp(dir, ".write-*")
	if err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be written: %w; give this account the right, or choose another with --data", dir, err)
	}
	probe.Close()
	os.Remove(probe.Name())
	lock := flock.New(filepath.Join(dir, fileLock), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data folder %s: %w", dir, err)
	}
	if !ok {
		running, _ := ReadRuntime(dir)
		return nil, &HeldError{Dir: dir, Running: running}
	}
	return lock, nil
}

// ReadRuntime reads what a running server left in dir.
func ReadRuntime(dir string) (Runtime, error) {
	var r Runtime
	data, err := os.ReadFile(filepath.Join(dir, fileRuntime))
	if errors.Is(err, os.ErrNotExist) {
		return r, fmt.Errorf("no server is running in %s: %w", dir, err)
	}
	if err != nil {
		return r, fmt.Errorf("read %s: %w", fileRuntime, err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("read %s: %w", fileRuntime, err)
	}
	return r, nil
}

func writeRuntime(dir string, r Runtime) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write %s: %w", fileRuntime, err)
	}
	tmp := filepath.Join(dir, fileRuntime+".new")
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", fileRuntime, err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, fileRuntime)); err != nil {
		return fmt.Errorf("write %s: %w", fileRuntime, err)
	}
	return nil
}
