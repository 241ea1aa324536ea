package update

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	noticeTimeout = 15 * time.Second
	// stallTimeout ends a download of which nothing comes any more.
	stallTimeout = time.Minute
)

// errElsewhere refuses redirects that leave https or go in circles.
var errElsewhere = errors.New("redirected elsewhere")

// newClient follows a few redirects, and none to another scheme.
func newClient() *http.Client {
	return &http.Client{CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if len(via) > 5 || next.URL.Scheme != via[0].URL.Scheme && next.URL.Scheme != "https" {
			return errElsewhere
		}
		return nil
	}}
}

// get asks for an address. The name of the program is told, its version is
// nobody's business.
func (u *Updater) get(ctx context.Context, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "Haoke")
	resp, err := u.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("%s answers %s", req.URL.Host, resp.Status)
	}
	return resp, nil
}

// small gets a small file whole.
func (u *Updater) small(ctx context.Context, address string, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, noticeTimeout)
	defer cancel()
	resp, err := u.get(ctx, address)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("longer than %d bytes", most)
	}
	return data, err
}

// download brings a file to path and proves size and sum. Whatever goes wrong,
// nothing is left at path.
func (u *Updater) download(ctx context.Context, address string, f File, path string) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(stallTimeout, func() { cancel(errors.New("nothing came for a minute")) })
	defer stalled.Stop()
	resp, err := u.get(ctx, address)
	if err != nil {
		return fmt.Errorf("download the update: %w", err)
	}
	defer resp.Body.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("download the update: %w", err)
	}
	defer func() {
		out.Close()
		if err != nil {
			os.Remove(path)
		}
	}()
	sum := sha256.New()
	progress := func(n int) {
		stalled.Reset(stallTimeout)
		u.progress(int64(n))
	}
	n, err := io.Copy(io.MultiWriter(out, sum), &counted{io.LimitReader(resp.Body, f.Size+1), progress})
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("download the update: %w", context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("download the update: %w", err)
	case n != f.Size:
		return fmt.Errorf("download the update: %w: it has %d bytes, the notice says %d", ErrTampered, n, f.Size)
	case hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		return fmt.Errorf("download the update: %w: its SHA-256 is another than the notice says", ErrTampered)
	}
	if err := out.Sync(); err != nil {
		return fmt.Errorf("download the update: %w", err)
	}
	return nil
}

// ErrTampered: what came is not the file that the makers signed.
var ErrTampered = errors.New("this is not the file that the makers signed")

// counted tells how much was read.
type counted struct {
	r    io.Reader
	tell func(int)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.tell(n)
	return n, err
}

// proveSum reports whether the file at path is the one with this sum: what was
// downloaded may have been changed on the disk since.
func proveSum(path, want string) error {
	got, err := sumOf(path)
	if err == nil && got != want {
		err = ErrTampered
	}
	return err
}

// sumOf is a file's SHA-256 in hex.
func sumOf(path string) (string, error) {
	_, sum, err := measure(path)
	return sum, err
}
