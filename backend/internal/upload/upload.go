// Package upload keeps the files that visitors send: sniffed, bounded, images
// re-encoded so that nothing but pixels survives, under random names, and
// served so that no browser runs them.
package upload

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Errors of Put that the visitor can do something about.
var (
	ErrTooLarge = errors.New("the file is too large")
	ErrType     = errors.New("files of this type are not accepted")
	ErrImage    = errors.New("the picture cannot be read")
)

// Store is a folder of files. It is safe for concurrent use. Pictures are
// unfolded one at a time: who sends many at once waits, and takes no more memory.
type Store struct {
	dir string
	one sync.Mutex
}

// Open uses (and makes, mode 0700) the folder.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the folder for files: %w", err)
	}
	return &Store{dir: dir}, nil
}

// File is a stored file.
type File struct {
	ID   string // 32 hexadecimal digits and an extension
	Name string // as the visitor called it, cleaned
	Type string // media type by its content, never by what was claimed
	Size int64  // bytes as stored
}

// extensions of the types that can be accepted at all.
var extensions = map[string]string{
	"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp",
	"application/pdf": ".pdf", "text/plain": ".txt",
}

// Put stores at most limit bytes of r. types are the accepted media types,
// "image/*" allowed. Errors: ErrTooLarge, ErrType, ErrImage, or the system's.
func (s *Store) Put(r io.Reader, name string, limit int64, types []string) (File, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return File{}, fmt.Errorf("read the file: %w", err)
	}
	if int64(len(data)) > limit {
		return File{}, ErrTooLarge
	}
	typ, _, _ := strings.Cut(http.DetectContentType(data), ";")
	ext := extensions[typ]
	if ext == "" || !accepted(typ, types) {
		return File{}, ErrType
	}
	if data, err = s.cleaned(typ, data); err != nil {
		return File{}, err
	}
	var id [16]byte
	rand.Read(id[:])
	f := File{ID: hex.EncodeToString(id[:]) + ext, Name: cleanName(name, ext), Type: typ, Size: int64(len(data))}
	if err := os.WriteFile(filepath.Join(s.dir, f.ID), data, 0o600); err != nil {
		return File{}, fmt.Errorf("store the file: %w", err)
	}
	return f, nil
}

// cleaned is clean, one picture at a time.
func (s *Store) cleaned(typ string, data []byte) ([]byte, error) {
	s.one.Lock()
	defer s.one.Unlock()
	return clean(typ, data)
}

func accepted(typ string, types []string) bool {
	group, _, _ := strings.Cut(typ, "/")
	return slices.Contains(types, typ) || slices.Contains(types, group+"/*")
}

// clean re-encodes pictures: metadata (places, names) and hidden payloads stay
// behind. Of WebP, which has no encoder here, only the picture's parts are kept.
func clean(typ string, data []byte) ([]byte, error) {
	switch {
	case typ == "image/webp":
		return plainWebP(data)
	case !strings.HasPrefix(typ, "image/"):
		return data, nil
	}
	if err := bounded(typ, data); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if typ == "image/gif" {
		g, err := gif.DecodeAll(bytes.NewReader(data))
		if err != nil {
			return nil, ErrImage
		}
		if err := gif.EncodeAll(&out, g); err != nil {
			return nil, ErrImage
		}
		return out.Bytes(), nil
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, ErrImage
	}
	if typ == "image/png" {
		err = png.Encode(&out, img)
	} else {
		err = jpeg.Encode(&out, img, &jpeg.Options{Quality: 88})
	}
	if err != nil {
		return nil, ErrImage
	}
	return out.Bytes(), nil
}

// cleanName keeps what is harmless in a file's name and gives it the right
// extension.
func cleanName(name, ext string) string {
	name = filepath.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.TrimSuffix(name, filepath.Ext(name))
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`"'<>|:*?()[]`+"`", r) || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > 80 {
		name = string(runes[:80])
	}
	if strings.Trim(name, " .") == "" {
		name = "file"
	}
	return name + ext
}

// ServeHTTP serves one stored file, named by the last element of the path. The
// random name is the permission: only who was given the link knows it.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	typ, ok := typeOf(id)
	if !ok {
		http.NotFound(w, r)
		return
	}
	f, err := os.Open(filepath.Join(s.dir, id))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", typ)
	h.Set("Content-Disposition", `attachment; filename="`+id+`"`)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	http.ServeContent(w, r, id, time.Time{}, f)
}

// typeOf checks that id is a name that Put makes, so that no path can be.
func typeOf(id string) (string, bool) {
	if len(id) < 36 || len(id) > 37 {
		return "", false
	}
	if _, err := hex.DecodeString(id[:32]); err != nil {
		return "", false
	}
	for typ, ext := range extensions {
		if id[32:] == ext {
			return typ, true
		}
	}
	return "", false
}

// Remove deletes a file; one that has gone already is no error.
func (s *Store) Remove(id string) error {
	if _, ok := typeOf(id); !ok {
		return nil
	}
	if err := os.Remove(filepath.Join(s.dir, id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete a file: %w", err)
	}
	return nil
}

// Expire deletes what was stored before the given time.
func (s *Store) Expire(before time.Time) error {
	return filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.ModTime().After(before) {
			return nil
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("delete an old file: %w", err)
		}
		return nil
	})
}
