package adminapi

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"runtime"
	"time"

	"haoke/backend/internal/logs"
	"haoke/backend/internal/wire"
)

// downloadBundle answers with a zip for whoever is asked for help. It is made
// in memory first: a fault is then still an answer, not half a file.
func (a *API) downloadBundle(c *call) (any, error) {
	var buf bytes.Buffer
	if err := a.Bundle(c.ctx(), &buf); err != nil {
		return nil, err
	}
	w := c.file("application/zip", "haoke-diagnostics-"+a.Now().UTC().Format("20060102-150405")+".zip")
	_, err := w.Write(buf.Bytes())
	return nil, err
}

// Bundle writes redacted diagnostics as a zip: the log in memory, status,
// settings without secrets, keys without values, versions.
func (a *API) Bundle(ctx context.Context, w io.Writer) error {
	z := zip.NewWriter(w)
	add := func(name string, write func(io.Writer) error) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.Now().UTC()})
		if err == nil {
			err = write(f)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		return nil
	}
	parts, err := a.bundleParts(ctx)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := add(p.name, p.write); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write diagnostics: %w", err)
	}
	return nil
}

type bundlePart struct {
	name  string
	write func(io.Writer) error
}

func asJSON(v any) func(io.Writer) error {
	return func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
}

func (a *API) bundleParts(ctx context.Context) ([]bundlePart, error) {
	status, err := a.Status(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := a.keyRing(ctx)
	if err != nil {
		return nil, err
	}
	for i := range keys.Providers {
		for j := range keys.Providers[i].Keys {
			keys.Providers[i].Keys[j].Masked = ""
		}
	}
	archive, err := a.Host.Archive().Status(ctx)
	if err != nil {
		archive = wire.ArchiveStatus{Reason: err.Error()}
	}
	engine, err := a.DB.Engine(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := a.DB.Conversations().Counts(ctx)
	if err != nil {
		return nil, err
	}
	facts := map[string]any{
		"version": a.Version, "commit": a.Commit, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		"cpus": runtime.NumCPU(), "goroutines": runtime.NumGoroutine(), "sqlite": engine, "data_folder": a.DataDir, "config_file": a.ConfigFile,
		"started_at": a.started.UTC(), "now": a.Now().UTC(), "secrets": a.Sealer.Where(), "lost_commits": a.DB.Lost(), "conversations": counts,
		"sessions": a.Sessions.Stats(), "modules": licences(),
	}
	return []bundlePart{
		{"facts.json", asJSON(facts)}, {"status.json", asJSON(status)}, {"settings.json", asJSON(a.settingsBrief())},
		{"keys.json", asJSON(keys)}, {"archive.json", asJSON(archive)}, {"log.txt", a.writeLog},
	}, nil
}

// settingBrief is a setting in the bundle.
type settingBrief struct {
	Path   string          `json:"path"`
	Value  json.RawMessage `json:"value"`
	Source string          `json:"source"`
}

// settingsBrief lists the settings with secrets hidden. Addresses can carry a
// password, so that what looks like one is cut out of texts as well.
func (a *API) settingsBrief() []settingBrief {
	var out []settingBrief
	for _, e := range a.Settings.Describe() {
		value := e.Value
		if e.Secret {
			hidden := `""`
			if s := string(e.Value); s != `""` && s != "null" && s != "" {
				hidden = `"(set)"`
			}
			value = json.RawMessage(hidden)
		}
		out = append(out, settingBrief{e.Path, json.RawMessage(userInfo.ReplaceAll(value, []byte("://(hidden)@"))), source(e)})
	}
	return out
}

// bundleLines bounds the log in a bundle.
const bundleLines = 5000

func (a *API) writeLog(w io.Writer) error {
	// Tail gives at most 1000 lines at once: from the oldest on.
	_, last := a.Logs.Tail(logs.Query{Level: slog.LevelDebug, Limit: 1})
	after := uint64(1)
	if last > bundleLines {
		after = last - bundleLines
	}
	for after < last {
		lines, next := a.Logs.Tail(logs.Query{Level: slog.LevelDebug, After: after, Limit: 1000})
		for _, l := range lines {
			if _, err := fmt.Fprintf(w, "%s %-5s %s", l.At.UTC().Format(time.RFC3339Nano), levelName(l.Level), l.Text); err != nil {
				return err
			}
			for _, kv := range l.Attrs {
				if _, err := fmt.Fprintf(w, " %s=%q", kv[0], kv[1]); err != nil {
					return err
				}
			}
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if next <= after {
			return nil
		}
		after = next
	}
	return nil
}

// userInfo finds the name and password of an address.
var userInfo = regexp.MustCompile(`://[^/@\s"]+@`)
