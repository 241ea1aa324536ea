package words

import (
	"fmt"

	"haoke/backend/internal/filter/fold"
)

// Draft gathers the entries of a Set and tells which are the same word. The
// zero value is not usable, see NewDraft. It belongs to one goroutine.
type Draft struct {
	fold    *fold.Table
	letters []rune
	entries []compiled // rule is the entry's own index
	slots   []int32    // hash table: 1 + index of an entry; its size is a power of two
}

// NewDraft begins a draft for about room entries.
func NewDraft(room int) *Draft {
	size := 64
	for size < 2*room {
		size *= 2
	}
	return &Draft{
		fold: fold.Default(), slots: make([]int32, size),
		letters: make([]rune, 0, 5*room), entries: make([]compiled, 0, room),
	}
}

// Len is the number of entries.
func (d *Draft) Len() int { return len(d.entries) }

// Letters is the number of letters of entry i.
func (d *Draft) Letters(i int) int { return int(d.entries[i].n) }

// Alphabetic reports whether entry i has a letter of a script that writes
// spaces between words, or a digit.
func (d *Draft) Alphabetic(i int) bool {
	e := &d.entries[i]
	for _, r := range d.letters[e.off : e.off+uint32(e.n)] {
		if bounded(r) {
			return true
		}
	}
	return false
}

// Add takes in an entry and returns its index. One that is the same word as an
// earlier one is not taken in again: fresh is false and i the earlier one's.
func (d *Draft) Add(text string) (i int, fresh bool, err error) {
	if err := d.parse(text); err != nil {
		return 0, false, err
	}
	last := len(d.entries) - 1
	if twin := d.enter(last); twin >= 0 {
		d.letters = d.letters[:d.entries[last].off]
		d.entries = d.entries[:last]
		return twin, false, nil
	}
	return last, true, nil
}

// Append takes in an entry whatever there is already. twin is an earlier entry
// that is the same word, -1 when there is none.
func (d *Draft) Append(text string) (i, twin int, err error) {
	if err := d.parse(text); err != nil {
		return 0, 0, err
	}
	i = len(d.entries) - 1
	return i, d.enter(i), nil
}

func (d *Draft) parse(text string) error {
	letters, spaces, flags, err := parse(d.fold, d.letters, text)
	if err != nil {
		return err
	}
	off := len(d.letters)
	d.letters = letters
	d.entries = append(d.entries, compiled{
		off: uint32(off), n: uint8(len(letters) - off), flags: flags, rule: int32(len(d.entries)), spaces: spaces,
	})
	return nil
}

// enter puts entry i into the hash table unless an equal one is there; it
// returns that one, or -1.
func (d *Draft) enter(i int) int {
	if 2*len(d.entries) > len(d.slots) {
		old := d.slots
		d.slots = make([]int32, 2*len(old))
		for _, x := range old {
			if x > 0 {
				d.slots[d.slot(int(x-1))] = x
			}
		}
	}
	at := d.slot(i)
	if x := d.slots[at]; x > 0 {
		return int(x - 1)
	}
	d.slots[at] = int32(i + 1)
	return -1
}

// slot returns the place of an entry equal to i in the hash table, or the free
// one where it belongs.
func (d *Draft) slot(i int) uint32 {
	e := &d.entries[i]
	letters := d.letters[e.off : e.off+uint32(e.n)]
	h := uint64(e.flags&written) + 1
	for _, r := range letters {
		h = (h ^ uint64(r)) * 0x9E3779B97F4A7C15
		h ^= h >> 29
	}
	mask := uint32(len(d.slots) - 1)
	for at := uint32(h) & mask; ; at = (at + 1) & mask {
		x := d.slots[at]
		if x == 0 || d.same(&d.entries[x-1], e.flags, letters) {
			return at
		}
	}
}

func (d *Draft) same(e *compiled, flags uint8, letters []rune) bool {
	if int(e.n) != len(letters) || (e.flags^flags)&written != 0 {
		return false
	}
	for k, r := range d.letters[e.off : e.off+uint32(e.n)] {
		if r != letters[k] {
			return false
		}
	}
	return true
}

// Build compiles the entries; a match's Rule is the index of its entry. The
// draft must not be added to afterwards.
func (d *Draft) Build() *Set {
	s := &Set{fold: d.fold, rare: map[rune]uint16{}, letters: d.letters, entries: append([]compiled(nil), d.entries...)}
	s.compile()
	return s
}

// Build compiles entries. An entry that cannot be compiled is an error that
// names it.
func Build(entries []Entry) (*Set, error) {
	d := NewDraft(len(entries))
	for i, e := range entries {
		if err := d.parse(e.Text); err != nil {
			return nil, fmt.Errorf("word %q %w", e.Text, err)
		}
		d.entries[i].rule = e.Rule
	}
	return d.Build(), nil
}
