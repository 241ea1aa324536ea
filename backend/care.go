package backend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"haoke/backend/internal/adminapi"
	"haoke/backend/internal/backup"
	"haoke/backend/internal/keypool"
	"haoke/backend/internal/secret"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/upstream"
)

// minSealing is the least length of a passphrase that seals, in bytes.
const minSealing = 8

// ErrPassphrase: a backup is sealed and the passphrase is missing or wrong.
var ErrPassphrase = backup.ErrPassphrase

// Backup is BackupSealed without a passphrase: stored secrets stay behind.
func Backup(ctx context.Context, dataDir, out string) (int64, error) {
	return BackupSealed(ctx, dataDir, out, "")
}

// BackupSealed writes the database of a data folder into one compressed file,
// also while a server uses it, and reads it back. A passphrase (at least 8
// bytes) seals the file, and the stored keys go with it; with "" they stay
// behind. It returns the file's size. The file must not exist; on an error none
// is left.
func BackupSealed(ctx context.Context, dataDir, out, passphrase string) (int64, error) {
	src := filepath.Join(dataDir, fileDatabase)
	if _, err := os.Stat(src); err != nil {
		return 0, fmt.Errorf("back up: there is no database in %s: %w", dataDir, err)
	}
	o := backup.Options{Info: backup.Info{Version: Version, At: time.Now().UTC().Truncate(time.Second)}, Passphrase: passphrase, Check: sqlite.Verify}
	if passphrase != "" {
		if len(passphrase) < minSealing {
			return 0, fmt.Errorf("back up: the passphrase is shorter than %d bytes", minSealing)
		}
		tmp, err := os.MkdirTemp(filepath.Dir(out), ".haoke-backup-*")
		if err != nil {
			return 0, fmt.Errorf("back up: %w", err)
		}
		defer os.RemoveAll(tmp)
		copied := filepath.Join(tmp, fileDatabase)
		if o.Secrets, err = openSecrets(ctx, dataDir, src, copied); err != nil {
			return 0, fmt.Errorf("back up: %w", err)
		}
		src = copied // the secrets and the rows are of one moment
	}
	n, err := backup.Write(ctx, out, o, func(ctx context.Context, path string) error { return sqlite.BackupFile(ctx, src, path) })
	if errors.Is(err, backup.ErrExists) {
		return 0, fmt.Errorf("back up: %s exists already; choose another name", out)
	}
	return n, err
}

// openSecrets copies the database and opens what it holds sealed with the
// folder's own master key. Keys that cannot be opened from here are an error: a
// backup that silently lacks them helps nobody.
func openSecrets(ctx context.Context, dataDir, src, copied string) (backup.Secrets, error) {
	if err := sqlite.BackupFile(ctx, src, copied); err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, sqlite.Config{Path: copied, Reserve: -1})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if _, err := os.Stat(filepath.Join(dataDir, "secret.key")); errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dataDir, "secret.where")); errors.Is(err, os.ErrNotExist) {
			return backup.Secrets{}, nil // nothing was ever sealed here
		}
	}
	sealer, err := secret.New(ctx, secret.Config{Dir: dataDir, Headless: true})
	if err != nil {
		return nil, fmt.Errorf("the key for stored secrets: %w", err)
	}
	secrets, err := adminapi.Secrets(ctx, db, sealer)
	if errors.Is(err, secret.ErrLocked) {
		return nil, fmt.Errorf("%w; make the backup in the window, or as the account that runs it", err)
	}
	return secrets, err
}

// VerifyBackup opens a backup and checks the database in it, and changes
// nothing. It returns the version that made it and when.
func VerifyBackup(ctx context.Context, file, passphrase string) (version string, at time.Time, err error) {
	info, err := backup.Verify(ctx, file, passphrase, sqlite.Verify)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("verify %s: %w", file, err)
	}
	return info.Version, info.At, nil
}

// Restore puts a backup in the place of the data. What was there is kept aside
// in a folder whose path is returned ("" when there was nothing). The folder
// must not be in use: *HeldError. A file that is damaged, or of a newer
// version, changes nothing. Visitors' widgets learn by a new epoch that their
// history was restored. A sealed file needs RestoreSealed.
func Restore(ctx context.Context, dataDir, file string) (kept string, err error) {
	return RestoreSealed(ctx, dataDir, file, "")
}

// RestoreSealed is Restore for a file that a passphrase seals. The keys in it
// are sealed with this folder's own master key before they reach the disk.
func RestoreSealed(ctx context.Context, dataDir, file, passphrase string) (kept string, err error) {
	lock, err := lockDataDir(dataDir)
	if err != nil {
		return "", err
	}
	defer lock.Unlock()
	tmp, err := os.MkdirTemp(dataDir, ".restore-*")
	if err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	defer os.RemoveAll(tmp)
	fresh := filepath.Join(tmp, fileDatabase)
	_, secrets, err := backup.Extract(ctx, file, passphrase, fresh)
	if err != nil {
		return "", fmt.Errorf("restore: %s: %w", file, err)
	}
	if err := sqlite.Verify(ctx, fresh); err != nil {
		return "", fmt.Errorf("restore: %s: %w", file, err)
	}
	var sealer *secret.Sealer
	if len(secrets) > 0 {
		if sealer, err = secret.New(ctx, secret.Config{Dir: dataDir, Headless: true}); err != nil {
			return "", fmt.Errorf("restore: the key for stored secrets: %w", err)
		}
	}
	if _, err := adminapi.Adopt(ctx, fresh, secrets, sealer); err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	if kept, err = keepAside(dataDir); err != nil {
		return kept, fmt.Errorf("restore: keep the present data aside: %w", err)
	}
	if err := os.Rename(fresh, filepath.Join(dataDir, fileDatabase)); err != nil {
		return kept, fmt.Errorf("restore: %w", err)
	}
	return kept, nil
}

// keepAside moves the present database with all that belongs to it into a
// folder of its own and returns the folder; "" when there is no database. The
// mark and the journal go too: they are of the database that goes.
func keepAside(dataDir string) (string, error) {
	old := filepath.Join(dataDir, fileDatabase)
	if _, err := os.Stat(old); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return "", nil
		}
		return "", err
	}
	kept := filepath.Join(dataDir, "before-restore-"+time.Now().UTC().Format("20060102T150405Z"))
	if err := os.Mkdir(kept, 0o700); err != nil {
		return "", err
	}
	for _, suffix := range []string{"", "-wal", "-shm", ".mark", ".journal"} {
		err := os.Rename(old+suffix, filepath.Join(kept, fileDatabase+suffix))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return kept, err
		}
	}
	return kept, nil
}

// stagedRestore puts the backup in place that the owner chose in the window;
// it was opened and checked there. What was there is kept aside.
func (b *Backend) stagedRestore() error {
	note, staged := filepath.Join(b.dir, adminapi.StagedNote), filepath.Join(b.dir, adminapi.StagedDatabase)
	for _, name := range []string{note, staged} {
		if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	kept, err := keepAside(b.dir)
	if err != nil {
		return fmt.Errorf("restore the chosen backup: keep the present data aside: %w", err)
	}
	if err := os.Rename(staged, filepath.Join(b.dir, fileDatabase)); err != nil {
		return fmt.Errorf("restore the chosen backup: %w", err)
	}
	b.log.Info("the chosen backup was restored", "kept", kept)
	return os.Remove(note)
}

// Check is one thing that Doctor looked at.
type Check struct {
	Name  string `json:"name"`
	State string `json:"state"` // "ok", "warn" or "bad"
	Text  string `json:"text"`  // what was found and what to do
}

// Report is what Doctor found. OK: nothing is "bad".
type Report struct {
	OK      bool    `json:"ok"`
	Version string  `json:"version"`
	Checks  []Check `json:"checks"`
}

// otherEnv names environment variables that look like settings and are not.
func otherEnv() []string { return []string{"HAOKE_PROGRAMDATA", "HAOKE_TEST_REQUIRE", "HAOKE_URL"} }

// Doctor looks at what can go wrong, without changing anything.
func Doctor(ctx context.Context, cfg Config) Report {
	r := Report{OK: true, Version: Version}
	add := func(name string, err error, fine string) bool {
		c := Check{Name: name, State: "ok", Text: fine}
		if err != nil {
			c.State, c.Text = "bad", err.Error()
			r.OK = false
		}
		r.Checks = append(r.Checks, c)
		return err == nil
	}
	warn := func(name, text string) { r.Checks = append(r.Checks, Check{name, "warn", text}) }

	file, required := cfg.ConfigFile, true
	if file == "" {
		file, required = filepath.Join(cfg.DataDir, fileConfig), false
	}
	store, err := settings.Open(settings.Config{File: file, FileRequired: required, Environ: os.Environ(), IgnoreEnv: otherEnv(), Checks: settingChecks})
	if !add("settings", err, "readable") {
		return r
	}
	for _, w := range settings.Warnings(store.Current()) {
		warn("settings", w.Key+": "+w.Text)
	}
	running, err := ReadRuntime(cfg.DataDir)
	lock, lockErr := lockDataDir(cfg.DataDir)
	var held *HeldError
	switch {
	case errors.As(lockErr, &held) && err == nil:
		add("server", nil, fmt.Sprintf("running as process %d, visitors at %s", running.PID, running.Public))
	case lockErr != nil:
		add("data folder", lockErr, "")
		return r
	default:
		defer lock.Unlock()
		add("data folder", nil, cfg.DataDir+" can be written")
		s := store.Current()
		add("public port", tryListen(s.Server.PublicAddr), s.Server.PublicAddr+" is free")
		add("admin port", tryListen(s.Server.AdminAddr), s.Server.AdminAddr+" is free")
	}
	db := filepath.Join(cfg.DataDir, fileDatabase)
	if _, err := os.Stat(db); err == nil {
		add("database", sqlite.Verify(ctx, db), "sound")
	} else {
		warn("database", "none yet; it is made at the first start")
	}
	if store.Current().Upstream.BaseURL == "" {
		warn("upstream", "none is set: the offline answerer answers from the FAQ")
	} else {
		add("upstream", tryUpstream(ctx, store.Current()), store.Current().Upstream.BaseURL+" can be reached")
	}
	return r
}

func tryListen(addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%s cannot be used: %w", addr, err)
	}
	return ln.Close()
}

// tryUpstream asks the first provider for its models with its first key.
func tryUpstream(ctx context.Context, s *settings.Settings) error {
	pool, err := keypool.New(poolConfig(s), resolvePreset)
	if err != nil {
		return err
	}
	states := pool.Snapshot(time.Now())
	if len(states) == 0 {
		return errors.New("no key is set; add one under [[upstream.keys]] or in the window")
	}
	t, ok := pool.Target(states[0].Key, s.Upstream.Model)
	if !ok {
		return errors.New("the first key cannot be used")
	}
	client := upstream.New(upstream.Config{Timeout: s.Upstream.Timeout}, nil, nil)
	defer client.Close()
	if r := client.TestKey(ctx, t); !r.OK {
		return errors.New(r.Diagnosis)
	}
	return nil
}
