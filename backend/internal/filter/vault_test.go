package filter

import (
	"strings"
	"testing"
	"time"
)

func TestVault(t *testing.T) {
	m, err := NewMasker()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(0, 0)
	v := NewVault(VaultConfig{Conversations: 2, Texts: 2, Now: func() time.Time { return now }})
	const text = "my card is 4111 1111 1111 1111, call 13812345678 ⟦PHONE·zzz1⟧"
	stored := v.Store(m, "a", text, KeepMasked)
	if want := "my card is *******************, call *********** ⟦PHONE·zzz1⟧"; stored != want {
		t.Fatalf("stored %q", stored)
	}
	if got := m.Cover(text, KeepLabel); got != "my card is [CARD], call [PHONE] ⟦PHONE·zzz1⟧" {
		t.Errorf("label %q", got)
	}
	if got := v.Store(m, "a", "nothing here", KeepMasked); got != "nothing here" {
		t.Errorf("clean text became %q", got)
	}
	if got := v.Store(m, "a", text, KeepOriginal); got != text {
		t.Errorf("original became %q", got)
	}

	table := m.NewTable("")
	out := v.Recall(table, "a", []string{"You are kind.", "hi", stored + "\nplease"})
	if strings.Contains(out[2], "4111") || strings.Contains(out[2], "138123") || !strings.Contains(out[2], "⟦CARD·") {
		t.Fatalf("recalled %q", out[2])
	}
	answer := table.Restore(out[2])
	if answer != text+"\nplease" {
		t.Errorf("restored %q", answer)
	}
	if got := v.Conceal("a", answer); strings.Contains(got, "4111") || strings.Contains(got, "138123") {
		t.Errorf("concealed %q", got)
	}
	// another conversation whose stored text is the same recalls nothing
	if got := v.Recall(m.NewTable(""), "b", []string{stored}); got[0] != stored {
		t.Errorf("another conversation recalled %q", got[0])
	}
	now = now.Add(time.Hour)
	if got := v.Recall(m.NewTable(""), "a", []string{stored}); got[0] != stored {
		t.Errorf("an hour later: %q", got[0])
	}
	for _, id := range []string{"x", "y", "z"} {
		v.Store(m, id, text, KeepLabel)
	}
	if len(v.byID) != 2 || v.recent.Len() != 2 {
		t.Errorf("%d conversations are remembered", len(v.byID))
	}
}

// TestVaultOrder: texts that look the same on disk come back in their order.
func TestVaultOrder(t *testing.T) {
	m, _ := NewMasker()
	v := NewVault(VaultConfig{})
	one := v.Store(m, "a", "13812345678", KeepMasked)
	two := v.Store(m, "a", "13912345678", KeepMasked)
	table := m.NewTable("")
	out := v.Recall(table, "a", []string{one, "and", two})
	if got := table.Restore(strings.Join(out, " ")); got != "13812345678 and 13912345678" {
		t.Errorf("got %q", got)
	}
}
