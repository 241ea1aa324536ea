package adminapi

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"haoke/backend/internal/backup"
	"haoke/backend/internal/secret"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

// Files of a staged restore in the data folder. The database is opened,
// checked, its secrets sealed for this machine and its conversations given a
// new epoch before it gets its name: the next start only has to keep the
// present database aside and rename this one. StagedNote (JSON of wire.Staged)
// is written first and removed last.
const (
	StagedDatabase = "restore-next.db"
	StagedNote     = "restore-next.json"
)

// staged is the restore that waits for the next start.
func (a *API) staged() (wire.Staged, bool, error) {
	var s wire.Staged
	if _, err := os.Stat(filepath.Join(a.DataDir, StagedDatabase)); err != nil {
		return s, false, nil
	}
	data, err := os.ReadFile(filepath.Join(a.DataDir, StagedNote))
	if errors.Is(err, os.ErrNotExist) {
		return s, false, nil
	}
	if err != nil {
		return s, false, fmt.Errorf("read the staged restore: %w", err)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, false, fmt.Errorf("read the staged restore: %w", err)
	}
	return s, true, nil
}

func (a *API) stageRestore(c *call) (any, error) {
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
	ctx := c.ctx()
	tmp, err := os.MkdirTemp(a.DataDir, ".restore-*")
	if err != nil {
		return nil, fmt.Errorf("stage the restore: %w", err)
	}
	defer os.RemoveAll(tmp)
	fresh := filepath.Join(tmp, "haoke.db")
	info, secrets, err := backup.Extract(ctx, path, in.Passphrase, fresh)
	if err == nil {
		err = sqlite.Verify(ctx, fresh)
	}
	if err != nil {
		return nil, openFault(err)
	}
	staged := wire.Staged{Name: name, At: info.At.UTC(), Version: info.Version}
	if staged.Conversations, err = Adopt(ctx, fresh, secrets, a.Sealer); err != nil {
		return nil, fmt.Errorf("stage the restore: %w", err)
	}
	if err := a.putStaged(fresh, filepath.Join(tmp, "note"), staged); err != nil {
		return nil, fmt.Errorf("stage the restore: %w", err)
	}
	return staged, nil
}

// putStaged gives the database and its note their names.
func (a *API) putStaged(fresh, note string, s wire.Staged) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.WriteFile(note, data, 0o600); err != nil {
		return err
	}
	if err := a.unstage(); err != nil {
		return err
	}
	if err := os.Rename(note, filepath.Join(a.DataDir, StagedNote)); err != nil {
		return err
	}
	return os.Rename(fresh, filepath.Join(a.DataDir, StagedDatabase))
}

// unstage removes a staged restore, the database first: without it the note
// means nothing.
func (a *API) unstage() error {
	for _, name := range []string{StagedDatabase, StagedNote} {
		if err := os.Remove(filepath.Join(a.DataDir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Adopt makes an extracted database this machine's: its schema is brought up
// to date, secrets that came along are sealed with the master key here, and
// every conversation gets a new epoch, because its history was restored. It
// returns how many conversations there are. sealer may be nil when secrets is
// empty.
func Adopt(ctx context.Context, path string, secrets backup.Secrets, sealer *secret.Sealer) (int64, error) {
	db, err := sqlite.Open(ctx, sqlite.Config{Path: path, Reserve: -1})
	if err != nil {
		return 0, err
	}
	n, err := adopt(ctx, db, secrets, sealer)
	if err := errors.Join(err, db.Close()); err != nil {
		return 0, err
	}
	return n, nil
}

func adopt(ctx context.Context, db *sqlite.DB, secrets backup.Secrets, sealer *secret.Sealer) (int64, error) {
	if len(secrets) > 0 {
		if err := resealKeys(ctx, db.Keys(), secrets, sealer); err != nil {
			return 0, err
		}
		if err := resealSettings(ctx, db.Settings(), secrets, sealer); err != nil {
			return 0, err
		}
	}
	epoch := newEpoch()
	if err := errors.Join(db.Conversations().SetEpochs(ctx, epoch), db.Values().Set(ctx, "epoch", epoch)); err != nil {
		return 0, err
	}
	counts, err := db.Conversations().Counts(ctx)
	return int64(counts.All), err
}

func resealKeys(ctx context.Context, store *sqlite.Keys, secrets backup.Secrets, sealer *secret.Sealer) error {
	keys, err := store.List(ctx)
	if err != nil {
		return err
	}
	for _, k := range keys {
		plain, ok := secrets[string(SecretName(k.Name))]
		if !ok {
			continue
		}
		if k.Sealed, err = sealer.Seal(plain, SecretName(k.Name)); err != nil {
			return err
		}
		if err := store.Put(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

func resealSettings(ctx context.Context, store *sqlite.Settings, secrets backup.Secrets, sealer *secret.Sealer) error {
	rows, err := store.Load(ctx)
	if err != nil {
		return err
	}
	var changed []sqlite.Setting
	for _, r := range rows {
		place := settings.SealedPlace(r.Path)
		plain, ok := secrets[string(place)]
		if !ok {
			continue
		}
		box, err := sealer.Seal(plain, place)
		if err != nil {
			return err
		}
		if r.Value, err = settings.SealedValue(box); err != nil {
			return err
		}
		r.Revision++
		changed = append(changed, r)
	}
	if len(changed) == 0 {
		return nil
	}
	return store.Save(ctx, changed)
}

func newEpoch() string {
	b := make([]byte, 6)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func (a *API) cancelRestore(*call) (any, error) {
	if err := a.unstage(); err != nil {
		return nil, fmt.Errorf("cancel the restore: %w", err)
	}
	return nil, nil
}
