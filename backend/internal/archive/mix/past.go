package mix

// matchInput is what the longest match with the past says of the next bit; it
// returns how long the match is, in steps.
func (m *model) matchInput() int {
	m.in[2*orders], m.in[2*orders+1] = 0, 0
	m.expect = -1
	if m.matched == 0 {
		return 0
	}
	next := uint32(m.past[m.matchAt]) | 256
	n := len0(m.c0)
	if next>>(8-n) != m.c0 {
		m.matched = 0
		return 0
	}
	size := min(m.matched, 16)
	if m.matched > 16 {
		size = min(16+(m.matched-16)/8, 30)
	}
	size = min(size/2+1, matchTop)
	bit := int(next >> (7 - n) & 1)
	m.expect = size<<2 | bit<<1
	if m.digits > 0 {
		m.expect |= 1
	}
	st := m.t.of(uint32(m.match[m.expect]) >> 20)
	m.in[2*orders] = st
	m.in[2*orders+1] = (int32(m.match[m.expect]>>20) - 2048) >> 1
	return size
}

// push takes a byte into the past.
func (m *model) push(b byte) {
	if m.matched > 0 && m.past[m.matchAt] == b {
		m.matchAt++
		m.matched++
	} else {
		m.matched = 0
	}
	m.past = append(m.past, b)
	m.shape(b)
	n := len(m.past)
	if n < matchMin {
		return
	}
	h := uint32(0)
	for _, c := range m.past[n-matchMin:] {
		h = hash2(h, uint32(c))
	}
	h >>= 32 - matchBits
	if m.matched == 0 {
		m.seek(int(m.last[h]))
	}
	if m.keep {
		m.moved = append(m.moved, undo{h, chance(m.last[h])})
	}
	m.last[h] = uint32(n)
}

func (m *model) seek(at int) {
	n := len(m.past)
	if at <= 0 || at >= n {
		return
	}
	size := 0
	for size < lookBack && size < at && m.past[at-1-size] == m.past[n-1-size] {
		size++
	}
	if size >= matchMin {
		m.matchAt, m.matched = at, size
	}
}

// shape follows words, numbers and the form of the message.
func (m *model) shape(b byte) {
	digit := b >= '0' && b <= '9'
	if digit {
		if m.digits == 0 {
			m.before = hash2(m.form, 7)
			m.plainAll = hash2(m.plainAll, '0')
			m.form = hash2(m.form, '0')
		}
		m.digits++
	} else {
		m.digits = 0
		m.before = 0
		m.plainAll = hash2(m.plainAll, uint32(b))
	}
	letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
	if letter {
		m.word = hash2(m.word, uint32(b|0x20))
	} else if m.word != 0 {
		m.words = [3]uint32{m.word, m.words[0], m.words[1]}
		m.word = 0
	}
	if !digit {
		m.form = hash2(hash2(m.words[0], m.words[1]), hash2(m.word, hash2(uint32(b), m.words[2])))
	}
}

// start begins a message of an author.
func (m *model) start(author uint32) {
	m.author = author
	m.word, m.words, m.plainAll, m.form, m.digits, m.before = 0, [3]uint32{}, 0, 0, 0, 0
	m.push(byte(author + 1))
}
