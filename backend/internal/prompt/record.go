package prompt

// record is the part of a prompt that stands for the older conversation.
type record struct {
	lines   []string
	seqs    map[Kind][]int64
	reasons []Reason
}

func (r *record) empty() bool { return len(r.lines) == 0 }

func (r *record) text() string {
	n := 0
	for _, l := range r.lines {
		n += len(l) + 1
	}
	buf := make([]byte, 0, n)
	for i, l := range r.lines {
		if i > 0 {
			buf = append(buf, '\n')
		}
		buf = append(buf, l...)
	}
	return string(buf)
}

func (p *plan) fitRecord() {}
