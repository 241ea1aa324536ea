package adminapi

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"haoke/backend/internal/wire"
)

// updateWork is what is known of newer versions.
type updateWork struct {
	mu    sync.Mutex
	state wire.UpdateState // without what settings say
}

// Manifest is the signed notice of the newest release. It lies at the address
// of the setting updates.manifest; beside it, under the same address with
// ".sig" at its end, lies its Ed25519 signature in base64.
type Manifest struct {
	Version string `json:"version"` // "1.2.3"
	Notes   string `json:"notes"`   // plain text
	URL     string `json:"url"`     // page to get it from, https
}

const (
	maxManifest   = 64 << 10
	maxSignature  = 1 << 10
	updateTimeout = 10 * time.Second
	maxNotesText  = 8000
)

// updateState says what is known; it asks nobody.
func (a *API) updateState() wire.UpdateState {
	a.updates.mu.Lock()
	out := a.updates.state
	a.updates.mu.Unlock()
	out.Current, out.Enabled, out.Managed = a.Version, a.Settings.Current().Updates.Check, a.Managed
	return out
}

// checkUpdates asks the manifest's address now. What goes wrong stands in the
// state's Fault.
func (a *API) checkUpdates(ctx context.Context) wire.UpdateState {
	m, err := a.fetchManifest(ctx, a.Settings.Current().Updates.Manifest)
	now := a.Now().UTC()
	a.updates.mu.Lock()
	st := &a.updates.state
	st.CheckedAt, st.Fault = &now, ""
	switch {
	case err != nil:
		st.Fault = err.Error()
	case newer(m.Version, a.Version):
		st.Latest, st.Notes, st.URL = m.Version, cut(m.Notes, maxNotesText), m.URL
	default:
		st.Latest, st.Notes, st.URL = "", "", ""
	}
	a.updates.mu.Unlock()
	return a.updateState()
}

func (a *API) fetchManifest(ctx context.Context, address string) (Manifest, error) {
	var m Manifest
	if address == "" {
		return m, errors.New("no update address is set")
	}
	if len(a.UpdateKey) != ed25519.PublicKeySize {
		return m, errors.New("this build carries no key to prove an update's notice with")
	}
	ctx, cancel := context.WithTimeout(ctx, updateTimeout)
	defer cancel()
	data, err := fetch(ctx, address, maxManifest)
	if err != nil {
		return m, fmt.Errorf("fetch the update's notice: %w", err)
	}
	text, err := fetch(ctx, address+".sig", maxSignature)
	if err != nil {
		return m, fmt.Errorf("fetch the notice's signature: %w", err)
	}
	sig, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || !ed25519.Verify(a.UpdateKey, data, sig) {
		return m, errors.New("the update's notice is not signed by the makers: it is ignored")
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("read the update's notice: %w", err)
	}
	if _, ok := parseVersion(m.Version); !ok {
		return m, fmt.Errorf("the update's notice names no version: %q", m.Version)
	}
	if u, err := url.Parse(m.URL); m.URL != "" && (err != nil || u.Scheme != "https") {
		return m, errors.New("the update's notice has an address that is not https")
	}
	return m, nil
}

// fetch gets a small file and follows no redirect to another scheme.
func fetch(ctx context.Context, address string, most int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "Haoke") // no version: it is nobody's business
	client := &http.Client{CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if len(via) > 5 || next.URL.Scheme != via[0].URL.Scheme {
			return errors.New("redirected elsewhere")
		}
		return nil
	}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", req.URL.Host, resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("longer than %d bytes", most)
	}
	return data, err
}

// parseVersion reads "1.2.3" or "v1.2.3-rc.1"; a version with a suffix comes
// before the one without.
func parseVersion(s string) (v [4]int, ok bool) {
	s = strings.TrimPrefix(s, "v")
	s, _, _ = strings.Cut(s, "+")
	core, pre, has := strings.Cut(s, "-")
	if !has {
		v[3] = 1
	} else if pre == "" {
		return v, false
	}
	parts := strings.Split(core, ".")
	if len(parts) != 3 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 {
			return v, false
		}
		v[i] = n
	}
	return v, true
}

// newer reports whether a release is newer than this program. A build without
// a version of its own is never told of one.
func newer(release, own string) bool {
	r, ok := parseVersion(release)
	o, mine := parseVersion(own)
	if !ok || !mine {
		return false
	}
	for i := range r {
		if r[i] != o[i] {
			return r[i] > o[i]
		}
	}
	return false
}
