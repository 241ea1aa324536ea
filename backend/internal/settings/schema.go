package settings

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
)

// kind is the shape of a leaf.
type kind string

const (
	kindString   kind = "string"
	kindSecret   kind = "secret"
	kindBool     kind = "bool"
	kindInt      kind = "int"
	kindFloat    kind = "float"
	kindDuration kind = "duration"
	kindStrings  kind = "strings"
	kindObject   kind = "object"
	kindTable    kind = "table" // map of names
	kindList     kind = "list"  // list of structs
)

// leaf is one setting: a value with a path of its own.
type leaf struct {
	field
	kind  kind
	index []int // reflect index within Settings, or within the element's struct
	item  []leaf
}

// schema is the tree's leaves in the order of the struct, and by path.
type schema struct {
	leaves []leaf
	byPath map[string]*leaf
	groups []string // names of the sections
}

// theSchema is computed once; it depends on nothing but the types above.
var theSchema = sync.OnceValue(func() *schema {
	known := map[string]field{}
	for _, fs := range [][]field{edgeFields(), upstreamFields(), insideFields()} {
		for _, f := range fs {
			known[f.path] = f
		}
	}
	s := &schema{byPath: map[string]*leaf{}}
	root := reflect.TypeFor[Settings]()
	for i := range root.NumField() {
		section := root.Field(i)
		name := section.Tag.Get("toml")
		s.groups = append(s.groups, name)
		for j := range section.Type.NumField() {
			f := section.Type.Field(j)
			path := name + "." + f.Tag.Get("toml")
			s.leaves = append(s.leaves, newLeaf(known, path, f.Type, []int{i, j}))
		}
	}
	for i := range s.leaves {
		s.byPath[s.leaves[i].path] = &s.leaves[i]
	}
	return s
})

func newLeaf(known map[string]field, path string, t reflect.Type, index []int) leaf {
	f, ok := known[path]
	if !ok {
		// A programming error that TestSchemaIsComplete finds.
		panic("settings: no description of " + path)
	}
	l := leaf{field: f, index: index, kind: kindOf(t)}
	if l.kind == kindList {
		elem := t.Elem()
		for k := range elem.NumField() {
			ef := elem.Field(k)
			l.item = append(l.item, newLeaf(known, path+"[]."+ef.Tag.Get("toml"), ef.Type, []int{k}))
		}
	}
	return l
}

func kindOf(t reflect.Type) kind {
	switch t {
	case reflect.TypeFor[Secret]():
		return kindSecret
	case reflect.TypeFor[time.Duration]():
		return kindDuration
	case reflect.TypeFor[[]string]():
		return kindStrings
	case reflect.TypeFor[json.RawMessage]():
		return kindObject
	case reflect.TypeFor[map[string]string]():
		return kindTable
	}
	switch t.Kind() {
	case reflect.String:
		return kindString
	case reflect.Bool:
		return kindBool
	case reflect.Int:
		return kindInt
	case reflect.Float64:
		return kindFloat
	case reflect.Slice:
		return kindList
	}
	panic(fmt.Sprintf("settings: no kind for %v", t))
}

// name is the last part of a leaf's path.
func (l *leaf) name() string { return l.path[strings.LastIndexByte(l.path, '.')+1:] }

// in returns the leaf's value within the tree.
func (l *leaf) in(s *Settings) reflect.Value {
	return reflect.ValueOf(s).Elem().FieldByIndex(l.index)
}

// paths lists every path, for suggestions.
func (s *schema) paths() []string {
	out := make([]string, len(s.leaves))
	for i := range s.leaves {
		out[i] = s.leaves[i].path
	}
	return out
}

// secret reports whether a leaf holds secrets, itself or in its elements.
func (l *leaf) secret() bool {
	if l.kind == kindSecret {
		return true
	}
	for i := range l.item {
		if l.item[i].secret() {
			return true
		}
	}
	return false
}

func deep(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(deep(v.Index(i)))
		}
		return out
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			out.SetMapIndex(it.Key(), it.Value())
		}
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		for i := range v.NumField() {
			out.Field(i).Set(deep(v.Field(i)))
		}
		return out
	}
	return v
}
