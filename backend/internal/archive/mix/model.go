package mix

import "math/bits"

const (
	orders    = 12 // pasts that texts are predicted from
	slotBits  = 22 // slots of all of them together, as a power of two: 16 MB
	inputs    = 2*orders + 3
	mixers    = 3
	matchMin  = 6  // bytes that must agree before the longest match speaks
	matchBits = 18 // places that are remembered for it
	matchTop  = 15
	lookBack  = 48
	calN      = 24 // calibration: by number of observations ...
	calP      = 48 // ... and by what they say
)

// small is the part of the model that is copied for every record; the large
// tables are put back from a journal.
type small struct {
	weights [mixers][mixSets * inputs]int32
	cal     [orders * calN * calP]chance
	match   [4 * (matchTop + 1)]chance
	final   [2][finalSets * finalStep]chance
	figures figures
}

const (
	mixSets   = 1024
	finalStep = 33
	finalSets = 1024
)

// undo is a slot and what it held.
type undo struct {
	at  uint32
	was chance
}

// model predicts the next bit of texts and numbers from what came before. All
// of it is integers, so that every platform reads what another wrote.
type model struct {
	c coder
	t *tables
	small

	slots []chance // lines of sixteen: a check, and the nodes of four bits
	last  []uint32 // where in past the latest bytes with this hash ended
	log   []undo   // of slots
	moved []undo   // of last
	keep  bool     // note changes

	lists  lists
	priced [2]int64 // writing: prices that are likely for this conversation
	bad    bool     // reading: what was read makes no sense
	size   int      // reading: bytes of text so far
	most   int      // reading: bytes of text at most

	past []byte
	hash [orders]uint32
	base [orders]uint32

	c0       uint32 // the bits of this byte behind a leading one
	author   uint32
	word     uint32 // hash of the word under way, 0 between words
	words    [3]uint32
	plainAll uint32 // hash of the message so far, digits as one sign
	form     uint32 // hash of the last words and signs, digits as one sign
	digits   uint32 // length of the run of digits
	before   uint32 // hash of what stood before the run of digits

	in      [inputs]int32
	mixed   [mixers]int32
	set     [mixers]int
	calAt   [orders]int32
	fin     [2]int
	p       uint32
	matchAt int
	matched int
	expect  int // index of the match's chance; -1: no match
}

func newModel() *model {
	m := &model{t: newTables(), most: MaxText, slots: make([]chance, 1<<slotBits), last: make([]uint32, 1<<matchBits)}
	for i := range m.slots {
		m.slots[i] = chanceNew
	}
	for k := range m.weights {
		for i := range m.weights[k] {
			m.weights[k][i] = 1 << 14
		}
	}
	for i := range m.cal {
		m.cal[i] = chance(squash(calValue(i%calP))) << 16
	}
	for i := range m.match {
		m.match[i] = chanceNew
	}
	for k := range m.final {
		for i := range m.final[k] {
			m.final[k][i] = chance(squash((int32(i%finalStep)-16)*128)) << 16
		}
	}
	m.figures.blank()
	return m
}

func calValue(i int) int32 { return (int32(i)-calP/2)*4096/calP + 42 }

func hash2(a, b uint32) uint32 {
	h := a*0x2c1b3c6d + b*0x297a2d39 + 0x12345677
	h ^= h >> 15
	h *= 0x85ebca6b
	return h ^ h>>13
}

// begin looks up the pasts for the next byte.
func (m *model) begin() {
	n := len(m.past)
	var c [8]uint32
	for i := 1; i <= min(n, 8); i++ {
		c[i-1] = uint32(m.past[n-i])
	}
	c2 := c[0] | c[1]<<8
	c4 := c2 | c[2]<<16 | c[3]<<24
	c6 := hash2(c4, c[4]|c[5]<<8)
	m.hash = [orders]uint32{
		m.author, c[0], c2, c4 & 0xffffff, c4, c6,
		m.word,
		hash2(m.word, m.words[0]),
		hash2(m.word, hash2(m.words[0], m.words[1])),
		hash2(m.plainAll, m.author),
		m.form,
		hash2(m.before, m.digits),
	}
	for i := range m.hash {
		m.hash[i] = hash2(m.hash[i], uint32(i)*0x9e3779b1+1)
	}
	m.c0 = 1
	m.line()
}

// line finds the sixteen neighbours that hold the predictions of a half byte.
// Each begins with a check; of two places the one that has seen less is given
// to a newcomer.
func (m *model) line() {
	for i := range m.hash {
		h := m.hash[i]
		if m.c0 > 1 {
			h = hash2(h, m.c0)
		}
		at := h & (1<<slotBits - 1) &^ 15
		check := chance(h>>8 | 1)
		if m.slots[at] == check {
			m.base[i] = at
			continue
		}
		other := at ^ 16
		if m.slots[other] == check {
			m.base[i] = other
			continue
		}
		if m.slots[other+1]&1023 < m.slots[at+1]&1023 {
			at = other
		}
		m.base[i] = at
		for k := range uint32(16) {
			m.note(at + k)
			m.slots[at+k] = chanceNew
		}
		m.slots[at] = check
	}
}

func (m *model) note(at uint32) {
	if m.keep {
		m.log = append(m.log, undo{at, m.slots[at]})
	}
}

// nibble is the place of this bit among its neighbours.
func (m *model) nibble() uint32 {
	if m.c0 < 16 {
		return m.c0
	}
	n := uint32(bits.Len32(m.c0)) - 5
	return 1<<n | m.c0&(1<<n-1)
}

func (m *model) predict() {
	at := m.nibble()
	seen := 0
	for i := range orders {
		v := m.slots[m.base[i]+at]
		n := v & 1023
		if n == 0 {
			m.in[2*i], m.in[2*i+1], m.calAt[i] = 0, 0, -1
			continue
		}
		if i >= 3 {
			seen++
		}
		st := m.t.of(uint32(v) >> 20)
		k := int32(i)*calN*calP + calRow(uint32(n))*calP + (st+2048)*calP>>12
		m.calAt[i] = k
		m.in[2*i] = st
		m.in[2*i+1] = m.t.of(uint32(m.cal[k]) >> 20)
	}
	size := m.matchInput()
	m.in[inputs-1] = 256
	state := 0
	switch {
	case m.digits > 0:
		state = 1
	case m.word != 0:
		state = 2
	}
	m.set = [mixers]int{int(m.c0), size*4 + state + 4*16*int(m.author&1), seen*32 + min(len0(m.c0), 7)*4 + state}
	var sum int64
	for k := range m.set {
		w := (*[inputs]int32)(m.weights[k][m.set[k]*inputs:])
		var dot int64
		for i := range inputs {
			dot += int64(m.in[i]) * int64(w[i])
		}
		d := min(max(dot>>16, -2047), 2047)
		m.mixed[k] = squash(int32(d))
		sum += d
	}
	m.refine(int32(sum / mixers))
}

func len0(c0 uint32) int { return bits.Len32(c0) - 1 }

// calRow puts numbers of observations into calN rows.
func calRow(n uint32) int32 {
	if n < 12 {
		return int32(n)
	}
	return min(int32(4+4*(bits.Len32(n)-2))+int32(n>>(bits.Len32(n)-3)&3), calN-1)
}

// refine is the last word: how such predictions came true after these bytes.
func (m *model) refine(d int32) {
	p := uint32(squash(d))
	pos := int(d+2048) >> 7
	w := uint32(d+2048) & 127
	ctx := [2]uint32{m.c0 | m.author<<8, hash2(m.hash[3], m.c0) >> 22}
	sum := 2 * p
	for k := range ctx {
		at := int(ctx[k]&(finalSets-1))*finalStep + pos
		f := &m.final[k]
		sum += (uint32(f[at])>>16*(128-w) + uint32(f[at+1])>>16*w) >> 7
		if w >= 64 {
			at++
		}
		m.fin[k] = at
	}
	m.p = min(max(sum>>2, 1), 65535)
}

// update tells the model what the bit was.
func (m *model) update(bit uint32) {
	at := m.nibble()
	for i := range orders {
		a := m.base[i] + at
		v := m.slots[a]
		if m.keep {
			m.log = append(m.log, undo{a, v})
		}
		m.slots[a] = v.learn(m.t, bit)
		if k := m.calAt[i]; k >= 0 {
			m.cal[k] = m.cal[k].learn(m.t, bit)
		}
	}
	want := int32(bit) * 65535
	for k := range m.set {
		w := (*[inputs]int32)(m.weights[k][m.set[k]*inputs:])
		err := (want - m.mixed[k]) >> 4 * mixRate
		for i := range inputs {
			w[i] += (m.in[i]*err + 1<<13) >> 14
		}
	}
	if m.expect >= 0 {
		m.match[m.expect] = m.match[m.expect].learn(m.t, bit)
	}
	for k := range m.fin {
		f := &m.final[k][m.fin[k]]
		*f = f.learn(m.t, bit)
	}
	m.c0 = m.c0<<1 | bit
}

const mixRate = 6

// byte codes one byte of a text.
func (m *model) byte(b byte) byte {
	m.begin()
	for i := 7; i >= 0; i-- {
		if i == 3 {
			m.line()
		}
		m.predict()
		bit := m.c.bit(uint32(b>>i)&1, m.p)
		m.update(bit)
	}
	b = byte(m.c0)
	m.push(b)
	return b
}
