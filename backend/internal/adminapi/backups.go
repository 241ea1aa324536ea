package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"haoke/backend/internal/backup"
	"haoke/backend/internal/secret"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

// backupWork is the backup under way and what verifications said.
type backupWork struct {
	running sync.Mutex // held while a backup is made, verified or staged

	mu   sync.Mutex
	busy bool
}

func (a *API) backupHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"listBackups":    a.listBackups,
		"addBackup":      a.addBackup,
		"downloadBackup": a.downloadBackup,
		"deleteBackup":   a.deleteBackup,
		"verifyBackup":   a.verifyBackup,
		"stageRestore":   a.stageRestore,
		"uploadBackup":   a.uploadBackup,
		"cancelRestore":  a.cancelRestore,
	}
}

const (
	backupEnding = ".backup"
	minSealing   = 8 // characters of a passphrase
)

// backupName keeps names from being paths.
var backupName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// backupFolder is where backups lie.
func (a *API) backupFolder() string {
	if f := a.Settings.Current().Backup.Folder; f != "" {
		return f
	}
	return filepath.Join(a.DataDir, "backups")
}

// begin takes the backups' lock or says that it is taken.
func (w *backupWork) begin() (end func(), err error) {
	if !w.running.TryLock() {
		return nil, &fault{Type: wire.ProblemConflict, Title: "Busy", Status: 409, Detail: "A backup is being made or checked.", Hint: "Wait until it is done."}
	}
	w.mu.Lock()
	w.busy = true
	w.mu.Unlock()
	return func() {
		w.mu.Lock()
		w.busy = false
		w.mu.Unlock()
		w.running.Unlock()
	}, nil
}

func (w *backupWork) isBusy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.busy
}

// backupCheck is the outcome of a verification.
type backupCheck struct {
	At    time.Time `json:"at"`
	Fault string    `json:"fault,omitempty"`
}

func (a *API) backupChecks(ctx context.Context) (map[string]backupCheck, error) {
	out := map[string]backupCheck{}
	text, err := a.DB.Values().Get(ctx, "backup_checks")
	if err != nil || text == "" {
		return out, err
	}
	if json.Unmarshal([]byte(text), &out) != nil {
		return map[string]backupCheck{}, nil // only a memory of checks: they can be made again
	}
	return out, nil
}

// noteCheck remembers a verification; nil removes the memory.
func (a *API) noteCheck(ctx context.Context, name string, c *backupCheck) error {
	all, err := a.backupChecks(ctx)
	if err != nil {
		return err
	}
	delete(all, name)
	if c != nil {
		all[name] = *c
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return a.DB.Values().Set(ctx, "backup_checks", string(text))
}

// backups lists the files, newest first. What is not a backup is left out.
func (a *API) backups(ctx context.Context) ([]wire.Backup, error) {
	out := []wire.Backup{}
	files, err := os.ReadDir(a.backupFolder())
	if errors.Is(err, os.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("list backups: %w", err)
	}
	checks, err := a.backupChecks(ctx)
	if err != nil {
		return out, err
	}
	for _, f := range files {
		if !f.Type().IsRegular() || !backupName.MatchString(f.Name()) || !strings.HasSuffix(f.Name(), backupEnding) {
			continue
		}
		b, err := a.backupFile(f.Name(), checks)
		if errors.Is(err, backup.ErrForeign) || errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			b.Fault = err.Error()
		}
		out = append(out, b)
	}
	slices.SortStableFunc(out, func(x, y wire.Backup) int { return y.At.Compare(x.At) })
	return out, nil
}

func (a *API) backupFile(name string, checks map[string]backupCheck) (wire.Backup, error) {
	path := filepath.Join(a.backupFolder(), name)
	info, err := os.Stat(path)
	if err != nil {
		return wire.Backup{}, err
	}
	b := wire.Backup{Name: name, At: info.ModTime().UTC(), Bytes: info.Size()}
	head, err := backup.Head(path)
	if err != nil {
		return b, err
	}
	b.At, b.Version, b.Encrypted, b.Auto = head.At.UTC(), head.Version, head.Sealed, head.Auto
	if c, ok := checks[name]; ok {
		b.VerifiedAt, b.Fault = sometime(c.At), c.Fault
	}
	return b, nil
}

func (a *API) listBackups(c *call) (any, error) {
	items, err := a.backups(c.ctx())
	if err != nil {
		return nil, err
	}
	s := a.Settings.Current().Backup
	out := wire.Backups{
		Items: items, Schedule: s.Schedule, At: s.At, Keep: s.Keep, Folder: a.backupFolder(), Passphrase: s.Passphrase != "", Running: a.work.isBusy(),
	}
	if staged, ok, err := a.staged(); err != nil {
		return nil, err
	} else if ok {
		out.Staged = &staged
	}
	return out, nil
}

func (a *API) addBackup(c *call) (any, error) {
	in, err := body[wire.BackupNew](c)
	if err != nil {
		return nil, err
	}
	if in.Passphrase != "" {
		if err := within("passphrase", in.Passphrase, minSealing, 1000); err != nil {
			return nil, err
		}
	}
	end, err := a.work.begin()
	if err != nil {
		return nil, err
	}
	defer end()
	return a.makeBackup(c.ctx(), in.Passphrase, false)
}

// makeBackup writes a backup under a new name. The caller holds the lock.
func (a *API) makeBackup(ctx context.Context, passphrase string, auto bool) (wire.Backup, error) {
	folder := a.backupFolder()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return wire.Backup{}, fmt.Errorf("make the backups' folder: %w", err)
	}
	now := a.Now().UTC().Truncate(time.Second)
	o := backup.Options{Info: backup.Info{Version: a.Version, At: now, Auto: auto}, Passphrase: passphrase, Check: sqlite.Verify}
	if passphrase != "" {
		var err error
		if o.Secrets, err = a.secrets(ctx); err != nil {
			return wire.Backup{}, err
		}
	}
	zone := time.UTC
	if a.Zone != nil {
		zone = a.Zone()
	}
	stem := "haoke-" + now.In(zone).Format("20060102-150405")
	for i := 1; ; i++ {
		name := stem + backupEnding
		if i > 1 {
			name = stem + "-" + strconv.Itoa(i) + backupEnding
		}
		_, err := backup.Write(ctx, filepath.Join(folder, name), o, a.DB.Backup)
		if errors.Is(err, backup.ErrExists) && i < 100 {
			continue
		}
		if err != nil {
			return wire.Backup{}, err
		}
		check := backupCheck{At: now}
		if err := a.noteCheck(ctx, name, &check); err != nil {
			return wire.Backup{}, err
		}
		return a.backupFile(name, map[string]backupCheck{name: check})
	}
}

// secrets opens everything that the store holds sealed, for a sealed backup.
func (a *API) secrets(ctx context.Context) (backup.Secrets, error) {
	return Secrets(ctx, a.DB, a.Sealer)
}

// Secrets opens everything that a store holds sealed, for a sealed backup. What
// another master key sealed, or what is damaged, is left out.
func Secrets(ctx context.Context, db *sqlite.DB, sealer *secret.Sealer) (backup.Secrets, error) {
	out := backup.Secrets{}
	keys, err := db.Keys().List(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		place := SecretName(k.Name)
		plain, err := sealer.Open(k.Sealed, place)
		if errors.Is(err, secret.ErrOtherKey) || errors.Is(err, secret.ErrDamaged) {
			continue // of no use here either
		}
		if err != nil {
			return nil, fmt.Errorf("open the key %s: %w", k.Name, err)
		}
		out[string(place)] = plain
	}
	rows, err := db.Settings().Load(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		box, ok := settings.SealedBytes(r.Value)
		if !ok {
			continue
		}
		place := settings.SealedPlace(r.Path)
		plain, err := sealer.Open(box, place)
		if errors.Is(err, secret.ErrOtherKey) || errors.Is(err, secret.ErrDamaged) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("open the setting %s: %w", r.Path, err)
		}
		out[string(place)] = plain
	}
	return out, nil
}

// backupPath is the path of the backup that the request names.
func (a *API) backupPath(c *call) (name, path string, err error) {
	name = c.param("name")
	path = filepath.Join(a.backupFolder(), name)
	info, serr := os.Lstat(path)
	if !backupName.MatchString(name) || !strings.HasSuffix(name, backupEnding) || serr != nil || !info.Mode().IsRegular() {
		return name, "", notFound(fmt.Sprintf("There is no backup %q.", name))
	}
	return name, path, nil
}

func (a *API) downloadBackup(c *call) (any, error) {
	name, path, err := a.backupPath(c)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open backup: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open backup: %w", err)
	}
	http.ServeContent(c.file("application/octet-stream", name), c.r, "", info.ModTime(), f)
	return nil, nil
}

func (a *API) deleteBackup(c *call) (any, error) {
	name, path, err := a.backupPath(c)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil {
		return nil, fmt.Errorf("delete backup: %w", err)
	}
	return nil, a.noteCheck(c.ctx(), name, nil)
}

func (a *API) verifyBackup(c *call) (any, error) {
	name, path, err := a.backupPath(c)
	if err != nil {
		return nil, err
	}
	in, err := body[wire.BackupOpen](c)
	if err != nil {
		return nil, err
	}
	end, err := a.work.begin()
	if err != nil {
		return nil, err
	}
	defer end()
	check := backupCheck{At: a.Now().UTC()}
	_, err = backup.Verify(c.ctx(), path, in.Passphrase, sqlite.Verify)
	switch {
	case errors.Is(err, backup.ErrPassphrase):
		return nil, openFault(err)
	case c.ctx().Err() != nil:
		return nil, c.ctx().Err()
	case err != nil:
		check.Fault = err.Error()
	}
	if err := a.noteCheck(c.ctx(), name, &check); err != nil {
		return nil, err
	}
	return a.backupFile(name, map[string]backupCheck{name: check})
}

// openFault says why a backup does not open.
func openFault(err error) error {
	var newer *sqlite.NewerError
	switch {
	case errors.Is(err, backup.ErrPassphrase):
		return invalid("passphrase", "The passphrase does not open this backup.", "Type the one that it was made with.")
	case errors.Is(err, backup.ErrForeign):
		return invalid("", "This file is not a backup of Haoke.", "")
	case errors.As(err, &newer):
		return invalid("", "This backup was made by a newer version.", "Install that version first.")
	case errors.Is(err, backup.ErrDamaged):
		return invalid("", err.Error(), "Take another backup.")
	}
	return err
}
