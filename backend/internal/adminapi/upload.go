package adminapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"haoke/backend/internal/backup"
	"haoke/backend/internal/wire"
)

// uploadBackup stores a file from elsewhere. It arrives under a temporary name
// and gets its own when its head is a backup's.
func (a *API) uploadBackup(c *call) (any, error) {
	q, err := query[wire.RestoreQuery](c)
	if err != nil {
		return nil, err
	}
	name := filepath.Base(strings.ReplaceAll(strings.TrimSpace(q.Name), `\`, "/"))
	if !strings.HasSuffix(name, backupEnding) {
		name = strings.TrimSuffix(name, filepath.Ext(name)) + backupEnding
	}
	if !backupName.MatchString(name) {
		name = "uploaded-" + a.Now().UTC().Format("20060102-150405") + backupEnding
	}
	folder := a.backupFolder()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the backups' folder: %w", err)
	}
	f, err := os.CreateTemp(folder, ".upload-*")
	if err != nil {
		return nil, fmt.Errorf("store the upload: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := io.Copy(f, c.r.Body); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, bodyFault(err)
		}
		return nil, fmt.Errorf("store the upload: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("store the upload: %w", err)
	}
	if _, err := backup.Head(f.Name()); err != nil {
		return nil, openFault(err)
	}
	if err := backup.Place(f.Name(), filepath.Join(folder, name)); errors.Is(err, backup.ErrExists) {
		return nil, exists("name", fmt.Sprintf("There is a backup %q.", name))
	} else if err != nil {
		return nil, fmt.Errorf("store the upload: %w", err)
	}
	return a.backupFile(name, nil)
}
