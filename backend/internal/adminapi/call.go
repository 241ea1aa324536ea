package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"haoke/backend/internal/auth"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/wire"
)

// call is one request on its way through a handler.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	route *wire.Route
	who   auth.Person
	done  bool // the handler has written the answer itself
}

func (c *call) ctx() context.Context { return c.r.Context() }

func (c *call) param(name string) string {
	v := chi.URLParam(c.r, name)
	if c.r.URL.RawPath == "" {
		return v // the router matched the path that is unescaped already
	}
	if plain, err := url.PathUnescape(v); err == nil {
		return plain
	}
	return v
}

// number reads a path parameter that is a whole number.
func (c *call) number(name string) (int64, error) {
	n, err := strconv.ParseInt(c.param(name), 10, 64)
	if err != nil {
		return 0, &fault{Status: 404, Type: wire.ProblemNotFound, Title: "Not found", Detail: fmt.Sprintf("%q is not a number.", c.param(name))}
	}
	return n, nil
}

// conversation reads the path parameter id as a conversation's.
func (c *call) conversation() (chat.ConversationID, error) {
	id := chat.ConversationID(c.param("id"))
	if !id.Valid() {
		return "", chat.ErrNotFound
	}
	return id, nil
}

// operator is the caller's display name, for what visitors read.
func (c *call) operator() string {
	if c.who.Display != "" {
		return c.who.Display
	}
	return c.who.Name
}

// body decodes the request's JSON into a T. Unknown fields are refused: a
// misspelt one would otherwise be ignored in silence.
func body[T any](c *call) (T, error) {
	var v T
	if t, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return v, &fault{Status: 415, Title: "Unsupported media type", Detail: "The body must be application/json."}
	}
	d := json.NewDecoder(c.r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, bodyFault(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, &fault{Status: 422, Type: wire.ProblemInvalid, Title: "Invalid", Detail: "The body must be one JSON value."}
	}
	return v, nil
}

func bodyFault(err error) error {
	var tooLarge *http.MaxBytesError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &tooLarge):
		return &fault{Status: 413, Type: wire.ProblemTooLarge, Title: "Too large", Detail: fmt.Sprintf("At most %d bytes are taken.", tooLarge.Limit)}
	case errors.As(err, &typ):
		return &fault{Status: 422, Type: wire.ProblemInvalid, Title: "Invalid", Field: typ.Field, Detail: fmt.Sprintf("A %s does not fit here.", typ.Value)}
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return &fault{Status: 422, Type: wire.ProblemInvalid, Title: "Invalid", Field: strings.Trim(name, `"`), Detail: "There is no such field."}
	}
	return &fault{Status: 422, Type: wire.ProblemInvalid, Title: "Invalid", Detail: "The body is not JSON: " + err.Error()}
}

// query decodes the query into a T by its json tags. Unknown parameters are
// ignored, as a proxy may add some.
func query[T any](c *call) (T, error) {
	var v T
	rv := reflect.ValueOf(&v).Elem()
	q := c.r.URL.Query()
	for i := range rv.NumField() {
		name, _, _ := strings.Cut(rv.Type().Field(i).Tag.Get("json"), ",")
		text := q.Get(name)
		if text == "" {
			continue
		}
		if err := setField(rv.Field(i), text); err != nil {
			return v, &fault{Status: 422, Type: wire.ProblemInvalid, Title: "Invalid", Field: name, Detail: fmt.Sprintf("%q does not fit here.", text)}
		}
	}
	return v, nil
}

func setField(f reflect.Value, text string) error {
	switch f.Kind() {
	case reflect.String:
		f.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		f.SetBool(b)
		return err
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		f.SetInt(n)
		return err
	case reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		f.SetUint(n)
		return err
	default:
		return fmt.Errorf("a query cannot hold a %s", f.Kind())
	}
	return nil
}

// limit brings a page's size into its bounds.
func limit(n, standard, most int) int {
	if n <= 0 {
		return standard
	}
	return min(n, most)
}

// file answers with bytes to be saved under a name.
func (c *call) file(typ, name string) http.ResponseWriter {
	h := c.w.Header()
	h.Set("Content-Type", typ)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	c.done = true
	return c.w
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		writeProblem(w, wire.Problem{Title: "Internal error", Status: 500, Detail: "The answer could not be encoded."})
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(data) // whoever has gone needs no answer
}
