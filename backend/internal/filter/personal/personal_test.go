package personal

import (
	"slices"
	"testing"

	"haoke/backend/internal/filter/pattern"
)

// find returns "kind:text" for all detectors.
func find(t *testing.T, set *pattern.Set, kinds []Kind, text string) []string {
	t.Helper()
	var st pattern.State
	var out []string
	emit := func(m pattern.Match) { out = append(out, kinds[m.Pattern].Name+":"+text[m.Start:m.End]) }
	set.Scan(&st, text, 0, emit)
	set.Close(&st, text, emit)
	slices.Sort(out)
	return out
}

func TestDetectors(t *testing.T) {
	kinds := Kinds()
	var specs []pattern.Spec
	for _, k := range kinds {
		specs = append(specs, k.Spec())
	}
	set, err := pattern.Compile(specs, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"我的电话是13812345678。", []string{"phone:13812345678"}},
		{"１３８ 1234 5678", []string{"phone:１３８ 1234 5678"}},
		{"+86 13812345678 ok", []string{"phone:+86 13812345678"}},
		{"ring +44 (20) 7946 0018 now", []string{"phone:+44 (20) 7946 0018"}},
		{"415-555-2671", []string{"phone:415-555-2671"}},
		{"010-62345678", []string{"phone:010-62345678"}},
		{"phone: 5551234567", []string{"phone:5551234567"}},
		{"order 5551234567", nil},
		{"order 202511221234567890", nil},
		{"my card 4111 1111 1111 1111 thanks", []string{"card:4111 1111 1111 1111"}},
		{"2 4111111111111111", []string{"card:4111111111111111"}},
		{"4111 1111 1111 1112", nil}, // wrong check digit
		{"A4111111111111111", nil},
		{"身份证 11010519491231002X,", []string{"cn_id:11010519491231002X"}},
		{"110105194912310021", nil},
		{"110105194913310022", nil}, // month 13
		{"GB82 WEST 1234 5698 7654 32", []string{"iban:GB82 WEST 1234 5698 7654 32"}},
		{"GB82WEST12345698765433", nil},
		{"write to user.name@shop.example.", []string{"email:user.name@shop.example"}},
		{"邮箱：user@shop.example，谢谢", []string{"email:user@shop.example"}},
		{"a@b", nil},
		{"from 192.168.1.20, not 1.2.3 or 300.1.1.1", []string{"ip:192.168.1.20"}},
		{"2001:db8::8a2e:370:7334 at 12:30:45", []string{"ip:2001:db8::8a2e:370:7334"}},
		{"key sk-abcdEFGH1234567890abcd", []string{"api_key:sk-abcdEFGH1234567890abcd"}},
		{"AKIAIOSFODNN7EXAMPLE", []string{"api_key:AKIAIOSFODNN7EXAMPLE"}},
		{"iPhone 15 Pro 256GB, 3 pieces at 19.99, size 42, 2025-11-22 10:30", nil},
		{"总价 1299.00 元，订单号 88812345", nil},
	} {
		if got := find(t, set, kinds, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestSelect(t *testing.T) {
	if _, err := Select([]string{"phone", "nose"}); err == nil {
		t.Error("an unknown detector was accepted")
	}
	all, err := Select([]string{"all"})
	if err != nil || len(all) != len(Kinds()) {
		t.Errorf("all: %d, %v", len(all), err)
	}
}
