package adminapi_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// document is the OpenAPI document as far as answers are checked with it.
type document struct {
	t     *testing.T
	paths map[string]map[string]operation
	defs  map[string]any
}

type operation struct {
	OperationID string                    `json:"operationId"`
	Responses   map[string]map[string]any `json:"responses"`
	Parameters  []map[string]any          `json:"parameters"`
	RequestBody map[string]any            `json:"requestBody"`
	Security    []any                     `json:"security"`
}

func (h *house) document() *document {
	h.t.Helper()
	got := h.nobody().send("GET", "/openapi.json", nil)
	var doc struct {
		OpenAPI    string                          `json:"openapi"`
		Paths      map[string]map[string]operation `json:"paths"`
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(got.body, &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		h.t.Fatalf("the document: %v, version %q", err, doc.OpenAPI)
	}
	return &document{h.t, doc.Paths, doc.Components.Schemas}
}

// check tells what is wrong with an answer to an operation.
func (d *document) check(op operation, a answer) error {
	r, ok := op.Responses[fmt.Sprint(a.status)]
	if !ok {
		r = op.Responses["default"]
	}
	content, _ := r["content"].(map[string]any)
	if content == nil {
		if len(a.body) > 0 {
			return fmt.Errorf("a body where none is documented: %s", a.body)
		}
		return nil
	}
	for typ, c := range content {
		schema, ok := c.(map[string]any)["schema"]
		if !ok {
			return nil // raw bytes
		}
		if got := a.head.Get("Content-Type"); got != typ {
			return fmt.Errorf("it is %q, documented as %q", got, typ)
		}
		var v any
		if err := json.Unmarshal(a.body, &v); err != nil {
			return err
		}
		return d.fits(schema.(map[string]any), v, "$")
	}
	return nil
}

// fits is a structural validator for the part of JSON Schema that the document
// uses. Fields that no schema names are faults.
func (d *document) fits(s map[string]any, v any, at string) error {
	if ref, ok := s["$ref"].(string); ok {
		def, ok := d.defs[strings.TrimPrefix(ref, "#/components/schemas/")].(map[string]any)
		if !ok {
			return fmt.Errorf("%s: %s is not defined", at, ref)
		}
		return d.fits(def, v, at)
	}
	if any, ok := s["anyOf"].([]any); ok {
		var last error
		for _, x := range any {
			if last = d.fits(x.(map[string]interface{}), v, at); last == nil {
				return nil
			}
		}
		return last
	}
	switch s["type"] {
	case nil:
		return nil
	case "null":
		if v != nil {
			return fmt.Errorf("%s: not null", at)
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			return fmt.Errorf("%s: %T is no boolean", at, v)
		}
	case "number", "integer":
		n, ok := v.(float64)
		if !ok || s["type"] == "integer" && n != math.Trunc(n) {
			return fmt.Errorf("%s: %v is no %s", at, v, s["type"])
		}
	case "string":
		return fitsString(s, v, at)
	case "array":
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%s: %T is no array", at, v)
		}
		for i, x := range list {
			if err := d.fits(s["items"].(map[string]any), x, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case "object":
		return d.fitsObject(s, v, at)
	default:
		return fmt.Errorf("%s: unknown type %v", at, s["type"])
	}
	return nil
}

func fitsString(s map[string]any, v any, at string) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("%s: %T is no string", at, v)
	}
	if s["format"] == "date-time" {
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	if s["contentEncoding"] == "base64" {
		if _, err := base64.StdEncoding.DecodeString(text); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	return nil
}

func (d *document) fitsObject(s map[string]any, v any, at string) error {
	obj, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %T is no object", at, v)
	}
	if more, ok := s["additionalProperties"].(map[string]any); ok {
		for k, x := range obj {
			if err := d.fits(more, x, at+"."+k); err != nil {
				return err
			}
		}
		return nil
	}
	props, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, ok := obj[name.(string)]; !ok {
			return fmt.Errorf("%s: %s is missing", at, name)
		}
	}
	for k, x := range obj {
		p, ok := props[k].(map[string]any)
		if !ok {
			return fmt.Errorf("%s: %s is not documented", at, k)
		}
		if err := d.fits(p, x, at+"."+k); err != nil {
			return err
		}
	}
	return nil
}
