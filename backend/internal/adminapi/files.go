package adminapi

import (
	"errors"
	"net/http"
	"strings"

	"haoke/backend/internal/upload"
	"haoke/backend/internal/wire"
)

// addFile stores a file that an operator sends. It reaches the visitor by its
// link in the operator's next message, and is checked as a visitor's is.
func (a *API) addFile(c *call) (any, error) {
	q, err := query[wire.FileQuery](c)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(q.Name) == "" {
		return nil, invalid("name", "The file needs a name.", "cup.png")
	}
	f, err := a.Keep(c.r.Body, q.Name)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, bodyFault(err)
	case errors.Is(err, upload.ErrTooLarge):
		return nil, &fault{Status: http.StatusRequestEntityTooLarge, Type: wire.ProblemTooLarge, Title: "Too large", Detail: "The file is larger than upload.max_bytes."}
	case errors.Is(err, upload.ErrType), errors.Is(err, upload.ErrImage):
		return nil, invalid("file", "Files of this kind are not sent: "+err.Error()+".", "pictures, PDF, text: see upload.types")
	case err != nil:
		return nil, err
	}
	return wire.StoredFile{ID: f.ID, URL: "/v1/files/" + f.ID, Name: f.Name, Type: f.Type, Size: f.Size}, nil
}
