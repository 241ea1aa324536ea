package update

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// memoryFile lies in the data folder.
const memoryFile = "update.json"

// Outcome is how the latest update ended. The owner is told of one that failed.
type Outcome struct {
	From  string    `json:"from"`
	To    string    `json:"to"`
	OK    bool      `json:"ok"`
	Fault string    `json:"fault,omitempty"`
	At    time.Time `json:"at"`
}

// pending is an update whose new version has not served yet.
type pending struct {
	From string `json:"from"`
	To   string `json:"to"`
	Exe  string `json:"exe"` // the program's place
	// Next is the new program, beside the old one, which keeps its place until
	// the new one serves. "": the new one is in place already; an installer put
	// it there, or version 0.1.0 did, which changed the programs first.
	Next     string    `json:"next,omitempty"`
	Previous string    `json:"previous,omitempty"` // where the old program is kept
	At       time.Time `json:"at"`
	Starts   int       `json:"starts"` // how often the new version was started
	// Watched: only a watcher can put the old programs back (an installer's).
	Watched bool     `json:"watched,omitempty"`
	PID     int      `json:"pid,omitempty"`  // the process that the new version takes over
	Args    []string `json:"args,omitempty"` // its arguments, for the old version's start
	Fault   string   `json:"fault,omitempty"`
	// Stopped: somebody ended the new version's start, so nothing is started.
	Stopped bool `json:"stopped,omitempty"`
	// Ready is how long the new version may take.
	Ready time.Duration `json:"ready,omitempty"`
}

// memory is what outlives a restart. Seen is the Issued of the newest manifest
// that was believed: an older one is a replay.
type memory struct {
	Seen    time.Time `json:"seen,omitzero"`
	Pending *pending  `json:"pending,omitempty"`
	Last    *Outcome  `json:"last,omitempty"`
}

// loadMemory reads the file; none, or one that is damaged, means nothing is
// remembered.
func loadMemory(dir string) (memory, error) {
	var m memory
	data, err := os.ReadFile(filepath.Join(dir, memoryFile))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("read %s: %w", memoryFile, err)
	}
	if json.Unmarshal(data, &m) != nil {
		return memory{}, nil
	}
	return m, nil
}

// save writes the memory to the disk: whole or not at all.
func (m memory) save(dir string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", memoryFile, err)
	}
	if err := writeFile(filepath.Join(dir, memoryFile), data); err != nil {
		return fmt.Errorf("write %s: %w", memoryFile, err)
	}
	return nil
}

// writeFile replaces a file by way of the disk and a temporary name.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// change reads, changes and writes the memory.
func change(dir string, f func(*memory)) error {
	m, err := loadMemory(dir)
	if err != nil {
		return err
	}
	f(&m)
	return m.save(dir)
}

// removeAll is os.RemoveAll also on file systems that do not know the way it
// deletes on Windows (some network drives, Wine): there file by file.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil {
		return nil
	}
	entries, rerr := os.ReadDir(dir)
	if rerr != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if e.IsDir() {
			err = removeAll(path)
		} else {
			err = os.Remove(path)
		}
		if err != nil {
			return err
		}
	}
	return os.Remove(dir)
}
