// Package backup is the one file format in which the appliance carries its
// data: written while the store is in use, read back before it counts, and
// never put over anything that exists.
//
// A file begins with Magic and one line of JSON (Info). What follows is a gzip
// stream of a tar archive, sealed with a passphrase or not: manifest.json (Info
// again), secrets.json (sealed files only) and haoke.db.
package backup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Magic is the first line of a backup.
const Magic = "haoke-backup-1\n"

// maxHead bounds the line of Info.
const maxHead = 4096

// Errors that callers branch on.
var (
	// ErrForeign: the file is not a backup of this program.
	ErrForeign = errors.New("this is not a backup of Haoke")
	// ErrDamaged: the file was changed or cut.
	ErrDamaged = errors.New("the backup is damaged")
	// ErrPassphrase: the passphrase is wrong, missing, or the file's head is
	// damaged.
	ErrPassphrase = errors.New("the passphrase does not open this backup, or the file is damaged")
	// ErrExists: there is a file of that name already.
	ErrExists = errors.New("a file of that name exists already")
)

// Info is what the head of a file says. Of a sealed file it is not proven
// before the file has been opened.
type Info struct {
	Version string    `json:"version"` // of the program that made it
	At      time.Time `json:"at"`
	Sealed  bool      `json:"sealed"`
	Auto    bool      `json:"auto,omitempty"` // by schedule or before an upgrade
}

// Secrets are the plain values of what the store holds sealed, by the place
// that each is sealed for. They travel only in sealed files.
type Secrets map[string][]byte

// Options say how a backup is made.
type Options struct {
	Info
	// Passphrase seals the file; empty: it is not sealed and Secrets stay out.
	Passphrase string
	Secrets    Secrets
	// Check looks at an extracted database; nil: nobody does.
	Check func(ctx context.Context, path string) error
}

// Write makes the file out. copyTo writes a consistent copy of the database to
// the path it is given. The result is read back before it gets its name; on an
// error nothing is left. ErrExists when out exists. It returns the size.
func Write(ctx context.Context, out string, o Options, copyTo func(ctx context.Context, path string) error) (int64, error) {
	if _, err := os.Lstat(out); err == nil {
		return 0, fmt.Errorf("back up to %s: %w", out, ErrExists)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(out), ".haoke-backup-*")
	if err != nil {
		return 0, fmt.Errorf("back up: %w", err)
	}
	defer os.RemoveAll(tmp)
	plain := filepath.Join(tmp, "copy.db")
	if err := copyTo(ctx, plain); err != nil {
		return 0, fmt.Errorf("back up: copy the database: %w", err)
	}
	packed := filepath.Join(tmp, "packed")
	o.Sealed = o.Passphrase != ""
	if err := pack(ctx, plain, packed, o); err != nil {
		return 0, fmt.Errorf("back up: %w", err)
	}
	if err := os.Remove(plain); err != nil {
		return 0, fmt.Errorf("back up: %w", err)
	}
	if _, err := Verify(ctx, packed, o.Passphrase, o.Check); err != nil {
		return 0, fmt.Errorf("read the backup back: %w", err)
	}
	info, err := os.Stat(packed)
	if err != nil {
		return 0, fmt.Errorf("back up: %w", err)
	}
	if err := Place(packed, out); err != nil {
		return 0, fmt.Errorf("back up: %w", err)
	}
	return info.Size(), nil
}

// Place gives a finished file its name without ever replacing another:
// ErrExists. Where hard links are not possible it falls back to a rename.
func Place(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		return os.Remove(from)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s: %w", to, ErrExists)
	}
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s: %w", to, ErrExists)
	}
	return os.Rename(from, to)
}

// Head reads what the head of a file says. Errors: ErrForeign, ErrDamaged.
func Head(path string) (Info, error) {
	f, err := os.Open(path)
	if err != nil {
		return Info{}, err
	}
	defer f.Close()
	return readHead(bufio.NewReaderSize(f, maxHead))
}

func readHead(r *bufio.Reader) (Info, error) {
	var info Info
	magic := make([]byte, len(Magic))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != Magic {
		return info, ErrForeign
	}
	line, err := r.ReadSlice('\n')
	if err != nil {
		return info, fmt.Errorf("%w: its head is cut", ErrDamaged)
	}
	if err := json.Unmarshal(line, &info); err != nil {
		return info, fmt.Errorf("%w: its head cannot be read", ErrDamaged)
	}
	return info, nil
}
