package update

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	gopath "path"
)

// unpack writes the program of this name from a tar.gz to the new file to. Its
// folders inside the archive do not matter, and nothing else is written.
func unpack(archive, program, to string) (err error) {
	f, err := os.Open(archive)
	if err != nil {
		return fmt.Errorf("unpack the update: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("unpack the update: %w", err)
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("unpack the update: there is no %s in it", program)
		}
		if err != nil {
			return fmt.Errorf("unpack the update: %w", err)
		}
		if h.Typeflag == tar.TypeReg && gopath.Base(h.Name) == program {
			return writeProgram(to, t, h.Size)
		}
	}
}

// writeProgram makes an executable file of size bytes from r, on the disk when
// it returns; on an error there is none.
func writeProgram(to string, r io.Reader, size int64) (err error) {
	if size <= 0 || size > maxFile {
		return fmt.Errorf("unpack the update: a program of %d bytes", size)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return fmt.Errorf("unpack the update: %w", err)
	}
	defer func() {
		out.Close()
		if err != nil {
			os.Remove(to)
		}
	}()
	if _, err := io.CopyN(out, r, size); err != nil {
		return fmt.Errorf("unpack the update: %w", err)
	}
	if err := out.Chmod(0o755); err != nil {
		return fmt.Errorf("unpack the update: %w", err)
	}
	if err := out.Sync(); err != nil {
		return fmt.Errorf("unpack the update: %w", err)
	}
	return nil
}

// copyProgram copies an executable file.
func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return writeProgram(to, in, info.Size())
}
