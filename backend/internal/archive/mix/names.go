package mix

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"haoke/backend/internal/chat"
)

// Kinds of what is picked from a list of the latest.
const (
	pickProvider = iota
	pickKey
	pickModel
	pickReason
	pickAuthor
	pickMark
	pickFinish
	pickSources
	nameKinds
	pickPrice = iota - 1
	pickID
	pickForm
	pickIDByte
	picks
)

const (
	namesKept  = 15
	pricesKept = 13
	idsKept    = 6
	idBits     = 3
	pickBits   = 4
)

// lists are the latest names, prices and ids, the most recent first.
type lists struct {
	names  [nameKinds][]string
	prices [][2]int64
	ids    []idRun
}

// idRun is a run of ids that count up.
type idRun struct {
	prefix string
	next   uint64
}

func newLists() (l lists) {
	for i := range l.names {
		l.names[i] = []string{""}
	}
	l.prices = [][2]int64{{0, 0}}
	return l
}

func (l *lists) clone() lists {
	out := lists{prices: append([][2]int64(nil), l.prices...)}
	for i := range l.names {
		out.names[i] = append([]string(nil), l.names[i]...)
	}
	return out // ids belong to one conversation
}

// front moves element i of list to its front, or puts v there.
func front[T any](list []T, i int, v T, most int) []T {
	if i < 0 {
		if len(list) < most {
			list = append(list, v)
		}
		i = len(list) - 1
	}
	copy(list[1:i+1], list[:i])
	list[0] = v
	return list
}

func index[T comparable](list []T, v T) int {
	for i := range list {
		if list[i] == v {
			return i
		}
	}
	return -1
}

// pick codes a place in a list, -1 for none.
func (m *model) pick(kind, width, i int) int {
	return int(m.tree(m.figures.picks[kind][:], width, uint64(i+1))) - 1
}

// name codes a text that is likely among the latest of its kind.
func (m *model) name(kind int, s string) string {
	list := &m.lists.names[kind]
	i := m.pick(kind, pickBits, index(*list, s))
	switch {
	case i >= len(*list):
		m.bad = true
		return ""
	case i >= 0:
		s = (*list)[i]
	default:
		s = m.text(uint32(kind)+authors, s)
	}
	*list = front(*list, i, s, namesKept)
	return s
}

// nano returns an amount in billionths, and whether that is exact.
func nano(v float64) (int64, bool) {
	n := math.Round(v * 1e9)
	return int64(n), n >= 0 && n < 1<<50 && n/1e9 == v && !math.Signbit(v)
}

const (
	priceRest  = pricesKept     // the amount in billionths follows
	priceExact = pricesKept + 1 // the bits of the amount follow
)

// cost codes what an answer cost: nearly always tokens times a pair of prices
// that was met before.
func (m *model) cost(t *chat.TurnInfo) {
	total := func(p [2]int64) int64 { return p[0]*int64(t.Prompt) + p[1]*int64(t.Completion) }
	list := &m.lists.prices
	i, pair, n := -1, m.priced, int64(0)
	if m.c.mode != reading {
		var ok bool
		n, ok = nano(t.Cost)
		switch {
		case !ok:
			i = priceExact
		default:
			for k, p := range *list {
				if total(p) == n {
					i = k
					break
				}
			}
			if i < 0 && (total(pair) != n || min(pair[0], pair[1]) < 0) {
				i = priceRest
			}
		}
	}
	i = m.pick(pickPrice, pickBits, i)
	switch {
	case i == priceExact:
		t.Cost = math.Float64frombits(m.plain(64, math.Float64bits(t.Cost)))
		return
	case i == priceRest:
		t.Cost = float64(int64(m.number(&m.figures.cols[colRest], uint64(n)))) / 1e9
		return
	case i >= len(*list):
		m.bad = true
		return
	case i >= 0:
		pair = (*list)[i]
	default:
		for k := range pair {
			pair[k] = int64(m.number(&m.figures.cols[colPrice], uint64(pair[k])))
		}
	}
	*list = front(*list, i, pair, pricesKept)
	t.Cost = float64(total(pair)) / 1e9
}

// Forms of ids.
const (
	formHex  = iota // 32 hexadecimal digits
	formUUID        // the same with dashes
	formPair        // two numbers of 32 bits with a dash: the widget's
	formText        // anything else
)

// count splits a number off the end of an id; false when there is none that
// would be written the same way again.
func count(id string) (prefix string, n uint64, ok bool) {
	at := len(id)
	for at > 0 && id[at-1] >= '0' && id[at-1] <= '9' && len(id)-at < 18 {
		at--
	}
	n, err := strconv.ParseUint(id[at:], 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != id[at:] {
		return "", 0, false
	}
	return id[:at], n, true
}

// id codes a visitor's message id: as the successor of one before, or anew.
func (m *model) id(id string) string {
	run := -1
	prefix, n, counted := "", uint64(0), false
	if m.c.mode != reading {
		if prefix, n, counted = count(id); counted {
			for i := range m.lists.ids {
				if m.lists.ids[i].prefix == prefix {
					run = i
					break
				}
			}
		}
	}
	run = m.pick(pickID, idBits, run)
	if run >= len(m.lists.ids) {
		m.bad = true
		return ""
	}
	if run >= 0 {
		r := m.lists.ids[run]
		n = r.next + uint64(m.signed(&m.figures.cols[colIDs], int64(n-r.next)))
		m.lists.ids = front(m.lists.ids, run, idRun{r.prefix, n + 1}, idsKept)
		return r.prefix + strconv.FormatUint(n, 10)
	}
	id = m.freshID(id)
	if prefix, n, counted = count(id); counted {
		m.lists.ids = front(m.lists.ids, -1, idRun{prefix, n + 1}, idsKept)
	}
	return id
}

func (m *model) freshID(id string) string {
	form, raw, pair := formText, [16]byte{}, [2]uint64{}
	if m.c.mode != reading {
		form, raw, pair = formOf(id)
	}
	form = m.pick(pickForm, idBits, form)
	switch form {
	case formHex, formUUID:
		for i := range raw {
			raw[i] = byte(m.plain(8, uint64(raw[i])))
		}
		if form == formUUID {
			return uuid(raw)
		}
		return hex.EncodeToString(raw[:])
	case formPair:
		for i := range pair {
			pair[i] = m.plain(32, pair[i])
		}
		return pairID(pair)
	}
	size := m.number(&m.figures.cols[colSize], uint64(len(id)))
	var b strings.Builder
	for i := uint64(0); i < size && !m.over(); i++ {
		var c byte
		if m.c.mode != reading {
			c = id[i]
		}
		b.WriteByte(byte(m.tree(m.figures.picks[pickIDByte][:], 8, uint64(c))))
	}
	return b.String()
}

func formOf(id string) (form int, raw [16]byte, pair [2]uint64) {
	decode := func(s string) bool {
		_, err := hex.Decode(raw[:], []byte(s))
		return err == nil && hex.EncodeToString(raw[:]) == s
	}
	switch {
	case len(id) == 32 && decode(id):
		return formHex, raw, pair
	case len(id) == 36 && decode(id[:8]+id[9:13]+id[14:18]+id[19:23]+id[24:]) && uuid(raw) == id:
		return formUUID, raw, pair
	}
	a, b, ok := strings.Cut(id, "-")
	if ok {
		var err, err2 error
		pair[0], err = strconv.ParseUint(a, 10, 32)
		pair[1], err2 = strconv.ParseUint(b, 10, 32)
		if err == nil && err2 == nil && pairID(pair) == id {
			return formPair, raw, pair
		}
	}
	return formText, raw, pair
}

func pairID(p [2]uint64) string {
	return strconv.FormatUint(p[0], 10) + "-" + strconv.FormatUint(p[1], 10)
}

func uuid(raw [16]byte) string {
	h := hex.EncodeToString(raw[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
