package backup

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"haoke/backend/internal/secret"
)

// Entries of the archive.
const (
	entryManifest = "manifest.json"
	entrySecrets  = "secrets.json"
	entryDatabase = "haoke.db"
)

// Bounds of what a file may unpack to.
const (
	maxDatabase = 1 << 40
	maxSmall    = 16 << 20
	// A database packs to a fifth or a twentieth. One that says to be so many
	// times larger than the file is made to fill the disk.
	maxTimes   = 100
	maxAtLeast = 256 << 20
)

// pack writes the database at from into the file to.
func pack(ctx context.Context, from, to string, o Options) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	head, err := json.Marshal(o.Info)
	if err != nil {
		return err
	}
	if len(head)+1 > maxHead {
		return errors.New("the head of the backup is too long")
	}
	if _, err := f.Write(append([]byte(Magic), append(head, '\n')...)); err != nil {
		return err
	}
	var body io.WriteCloser = nopCloser{f}
	if o.Sealed {
		if body, err = secret.SealTo(f, o.Passphrase); err != nil {
			return fmt.Errorf("seal: %w", err)
		}
	}
	z := gzip.NewWriter(body)
	if err := archive(ctx, z, in, head, o); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := body.Close(); err != nil {
		return err
	}
	return f.Sync()
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func archive(ctx context.Context, w io.Writer, db *os.File, head []byte, o Options) error {
	t := tar.NewWriter(w)
	small := func(name string, data []byte) error {
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: o.At}); err != nil {
			return err
		}
		_, err := t.Write(data)
		return err
	}
	if err := small(entryManifest, head); err != nil {
		return err
	}
	if o.Sealed {
		data, err := json.Marshal(o.Secrets)
		if err != nil {
			return err
		}
		if err := small(entrySecrets, data); err != nil {
			return err
		}
	}
	info, err := db.Stat()
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Name: entryDatabase, Mode: 0o600, Size: info.Size(), ModTime: o.At}); err != nil {
		return err
	}
	if _, err := io.Copy(t, &stoppable{ctx, db}); err != nil {
		return err
	}
	return t.Close()
}

// stoppable ends a copy with its context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// Extract opens a backup and writes its database to the new file to. On an
// error nothing is left there. Errors: ErrForeign, ErrDamaged, ErrPassphrase,
// ErrExists.
func Extract(ctx context.Context, path, passphrase, to string) (info Info, secrets Secrets, err error) {
	f, err := os.Open(path)
	if err != nil {
		return info, nil, fmt.Errorf("open backup: %w", err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 64<<10)
	if info, err = readHead(r); err != nil {
		return info, nil, err
	}
	var body io.Reader = &stoppable{ctx, r}
	if info.Sealed {
		if passphrase == "" {
			return info, nil, ErrPassphrase
		}
		if body, err = secret.OpenFrom(body, passphrase); err != nil {
			return info, nil, sealFault(err)
		}
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return info, nil, fmt.Errorf("%s: %w", to, ErrExists)
	}
	if err != nil {
		return info, nil, fmt.Errorf("extract backup: %w", err)
	}
	size, err := f.Stat()
	if err != nil {
		out.Close()
		os.Remove(to)
		return info, nil, fmt.Errorf("extract backup: %w", err)
	}
	proven, secrets, err := unpack(ctx, body, out, min(maxDatabase, maxAtLeast+maxTimes*size.Size()))
	if err == nil && info.Sealed {
		proven.Sealed, info = true, proven // the head of a sealed file is inside as well, where it cannot be forged
	}
	if err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(to)
		return info, nil, err
	}
	return info, secrets, nil
}

func sealFault(err error) error {
	switch {
	case errors.Is(err, secret.ErrPassphrase):
		return ErrPassphrase
	case errors.Is(err, secret.ErrDamaged):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// unpack reads the archive to its very end, so that everything is checked. most
// bounds the database, and what may lie beside and behind it.
func unpack(ctx context.Context, body io.Reader, db *os.File, most int64) (info Info, secrets Secrets, err error) {
	broken := func(err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	z, err := gzip.NewReader(body)
	if err != nil {
		return info, nil, broken(err)
	}
	all := &io.LimitedReader{R: z, N: most + 4*maxSmall}
	t := tar.NewReader(all)
	found := false
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return info, nil, broken(err)
		}
		switch h.Name { // a name never becomes a path
		case entryManifest:
			err = small(t, &info)
		case entrySecrets:
			err = small(t, &secrets)
		case entryDatabase:
			found = true
			if h.Size > most {
				return info, nil, broken(errors.New("its database is too large"))
			}
			_, err = io.Copy(db, t)
		}
		if err != nil {
			return info, nil, broken(err)
		}
	}
	if _, err := io.Copy(io.Discard, all); err != nil {
		return info, nil, broken(err)
	}
	if all.N <= 0 {
		return info, nil, broken(errors.New("it unpacks to more than any backup"))
	}
	if !found {
		return info, nil, broken(errors.New("it has no database"))
	}
	return info, secrets, nil
}

func small(r io.Reader, v any) error {
	data, err := io.ReadAll(io.LimitReader(r, maxSmall+1))
	if err != nil {
		return err
	}
	if len(data) > maxSmall {
		return errors.New("an entry is too large")
	}
	return json.Unmarshal(data, v)
}

// Verify opens a backup, unpacks it beside itself, lets check look at the
// database (nil: nobody) and removes it again. Errors as of Extract, and
// check's.
func Verify(ctx context.Context, path, passphrase string, check func(ctx context.Context, db string) error) (Info, error) {
	tmp, err := os.MkdirTemp(filepath.Dir(path), ".haoke-verify-*")
	if err != nil {
		return Info{}, fmt.Errorf("verify backup: %w", err)
	}
	defer os.RemoveAll(tmp)
	db := filepath.Join(tmp, entryDatabase)
	info, _, err := Extract(ctx, path, passphrase, db)
	if err != nil {
		return info, err
	}
	if check != nil {
		if err := check(ctx, db); err != nil {
			return info, fmt.Errorf("the backup's database: %w", err)
		}
	}
	return info, nil
}
