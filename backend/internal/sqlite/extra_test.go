package sqlite

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
)

// fill sets every field to something that is not its zero value: text, or a
// number that n varies.
func fill(v reflect.Value, text string, n int64) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		v.SetInt(1234567 + n)
	case reflect.Float64:
		v.SetFloat(0.00042 + float64(n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), text, n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text, n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.UnixMilli(1_700_000_000_000 + n)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), text, n)
		}
	}
}

// want is the extra column as encoding/json writes it.
func want(t *testing.T, m *chat.Message) string {
	t.Helper()
	e := extra{Finish: m.Finish, Author: m.Author, Sources: m.Sources, Mark: m.Mark, Turn: m.Turn}
	if m.Turn != nil {
		turn := *m.Turn
		turn.PromptTrace = ""
		e.Turn = &turn
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(b), "{}")
}

// A field that is added to the record of a turn must reach the disk.
func TestExtraIsWhatJSONWrites(t *testing.T) {
	for _, text := range []string{"x", "好", "a\"b\\c\n\x00\x7f", "<&>", "\u2028", "bad\xff"} {
		var full extra
		fill(reflect.ValueOf(&full).Elem(), text, 0)
		m := chat.Message{Finish: full.Finish, Author: full.Author, Sources: full.Sources, Mark: full.Mark, Turn: full.Turn}
		if got := string(appendExtra(nil, &m)); got != want(t, &m) {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want(t, &m))
		}
	}
	for _, m := range []chat.Message{
		{}, {Text: "x", ClientID: "1"}, {Turn: &chat.TurnInfo{}}, {Finish: chat.FinishStop}, {Mark: "noted", Turn: &chat.TurnInfo{PromptTrace: "long"}},
	} {
		if m.Turn == nil && m.Finish == "" {
			if got := appendExtra(nil, &m); len(got) != 0 {
				t.Errorf("%+v has the extra %s", m, got)
			}
			continue
		}
		if got := string(appendExtra(nil, &m)); got != want(t, &m) {
			t.Errorf("got %s, want %s", got, want(t, &m))
		}
	}
}

func FuzzExtra(f *testing.F) {
	f.Add("text", 0.1, int64(5))
	f.Add("\"", 1e21, int64(-1))
	f.Add("é<", 1e-9, int64(math.MaxInt64))
	f.Add("", -5e-324, int64(0))
	f.Fuzz(func(t *testing.T, text string, cost float64, n int64) {
		if math.IsNaN(cost) || math.IsInf(cost, 0) {
			return
		}
		m := chat.Message{Author: text, Turn: &chat.TurnInfo{Model: text, Cost: cost, TotalUS: n}}
		if got := string(appendExtra(nil, &m)); got != want(t, &m) {
			t.Errorf("got %s, want %s", got, want(t, &m))
		}
	})
}
