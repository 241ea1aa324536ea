// Package measure tells how small archived conversations become: it packs
// generated or given conversations with every codec and prints the ratios side
// by side, against the raw JSON that the API carries and against the bare text.
package measure

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"haoke/backend/internal/archive"
	"haoke/backend/internal/chat"
)

// Options say what is measured. The zero value measures 300 generated
// conversations at the shares 0.95, 0.60 and 0 of canned wording. Visitors'
// messages have ids as the widget makes them.
type Options struct {
	Conversations int    // of each set; 0: 300
	Seed          uint64 // of the generator
	// Corpus is measured beside the generated sets; nil: none.
	Corpus [][]chat.Message
	// Parts stores sealed conversations in a ClickHouse and tells what its two
	// tables take on disk; nil: that part of the table is left out.
	Parts func(ctx context.Context, rows []archive.Sealed) (Parts, error)
}

// Parts is what the tables of a ClickHouse take on disk, in bytes.
type Parts struct {
	Server             string // version and how it compresses
	Sessions, Messages int64
}

// Row is one way to store a set.
type Row struct {
	Set    string  `json:"set"`
	Method string  `json:"method"`
	Bytes  int64   `json:"bytes"`
	JSON   float64 `json:"ratio_json"` // raw JSON bytes over stored bytes
	Text   float64 `json:"ratio_text"` // bytes of the texts alone over stored bytes
	// PackUS and OpenUS are microseconds a conversation; 0: not measured.
	PackUS float64 `json:"pack_us,omitempty"`
	OpenUS float64 `json:"open_us,omitempty"`
}

// Report is the table.
type Report struct {
	Rows []Row `json:"rows"`
}

// Find returns the row of a set and a method.
func (r Report) Find(set, method string) (Row, bool) {
	for _, row := range r.Rows {
		if row.Set == set && row.Method == method {
			return row, true
		}
	}
	return Row{}, false
}

// Chosen is the method that the archive chooses by itself.
const Chosen = "context mixing+dict, packed"

// BlockOf is how many conversations the rows of blocks put together.
const BlockOf = 16

// set is a set of conversations with its sizes. Half of the conversations of
// the training set are others than those that are measured.
type set struct {
	name    string
	rows    []archive.Sealed
	teach   [][]byte // packed records for the dictionaries, not measured
	records [][]byte
	json    [][]byte
	packed  [][]byte // by the chosen method
	raw     int64
	text    int64
}

// Run measures and prints. Dictionaries are trained on conversations that are
// not among the measured ones.
func Run(ctx context.Context, w io.Writer, o Options) (Report, error) {
	if o.Conversations <= 0 {
		o.Conversations = 300
	}
	var sets []set
	for _, g := range []struct {
		name  string
		share float64
	}{{"templated 0.95", 0.95}, {"mixed 0.60", 0.60}, {"free 0", 0}} {
		t := newTalk(o.Seed, g.share)
		s := set{name: g.name}
		var teach []archive.Sealed
		for i := range o.Conversations + 256 {
			c := t.conversation(i)
			if i < 256 {
				teach = append(teach, c)
			} else {
				s.rows = append(s.rows, c)
			}
		}
		if err := s.prepare(teach); err != nil {
			return Report{}, err
		}
		sets = append(sets, s)
	}
	if len(o.Corpus) > 1 {
		s := set{name: "corpus"}
		var teach []archive.Sealed
		for i, msgs := range o.Corpus {
			c := archive.Sealed{Head: chat.Conversation{ID: chat.NewConversationID(), UpdatedAt: msgs[len(msgs)-1].At}, Messages: msgs}
			if i%2 == 0 {
				teach = append(teach, c)
			} else {
				s.rows = append(s.rows, c)
			}
		}
		if err := s.prepare(teach); err != nil {
			return Report{}, err
		}
		sets = append(sets, s)
	}
	var r Report
	for i := range sets {
		rows, err := sets[i].measure(ctx, o)
		if err != nil {
			return r, fmt.Errorf("measure %s: %w", sets[i].name, err)
		}
		r.Rows = append(r.Rows, rows...)
	}
	return r, r.print(w, sets)
}

func (s *set) prepare(teach []archive.Sealed) error {
	for _, c := range teach {
		record, err := archive.Pack(nil, c.Messages)
		if err != nil {
			return err
		}
		s.teach = append(s.teach, record)
	}
	for _, c := range s.rows {
		raw, err := archive.RawJSON(c.Messages)
		if err != nil {
			return err
		}
		record, err := archive.Pack(nil, c.Messages)
		if err != nil {
			return err
		}
		s.json, s.records = append(s.json, raw), append(s.records, record)
		s.raw += int64(len(raw))
		for i := range c.Messages {
			s.text += int64(len(c.Messages[i].Text))
		}
	}
	return nil
}

// dicts is a DictReader over dictionaries in memory, numbered from 1.
type dicts []dictionary

type dictionary struct {
	codec string
	data  []byte
}

func (d dicts) Dict(_ context.Context, id int64) (string, []byte, error) {
	if id < 1 || id > int64(len(d)) {
		return "", nil, chat.ErrNotFound
	}
	return d[id-1].codec, d[id-1].data, nil
}

func (s *set) row(method string, bytes int64) Row {
	return Row{Set: s.name, Method: method, Bytes: bytes, JSON: float64(s.raw) / float64(max(bytes, 1)), Text: float64(s.text) / float64(max(bytes, 1))}
}

func (s *set) measure(ctx context.Context, o Options) ([]Row, error) {
	// A corpus that is too small or too varied yields no dictionary: then the
	// rows that need one are left out.
	trained, noDict := archive.TrainFor(archive.ZstdDict, s.teach)
	primed, err := archive.TrainFor(archive.Mix, s.teach)
	if err != nil {
		return nil, err
	}
	codecs := archive.NewCodecs(dicts{{archive.ZstdDict, trained}, {archive.Mix, primed}})
	var out []Row
	for _, m := range []struct {
		name, codec string
		dict        int64
		data        [][]byte
	}{
		{"snappy, JSON", archive.Snappy, 0, s.json},
		{"s2, JSON", archive.S2, 0, s.json},
		{"zstd, JSON", archive.Zstd, 0, s.json},
		{"snappy, packed", archive.Snappy, 0, s.records},
		{"s2, packed", archive.S2, 0, s.records},
		{"zstd, packed", archive.Zstd, 0, s.records},
		{"zstd+dict, packed", archive.ZstdDict, 1, s.records},
		{"zstd+dict, blocks of 16", archive.ZstdDict, 1, blocks(s.records, BlockOf)},
		{Chosen, archive.Mix, 2, s.records},
	} {
		if m.codec == archive.ZstdDict && noDict != nil {
			continue
		}
		row, err := s.codec(ctx, codecs, m.name, m.codec, m.dict, m.data)
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	bare := make([][]byte, len(s.rows))
	for i := range s.rows {
		if bare[i], err = withoutTexts(s.rows[i].Messages); err != nil {
			return nil, err
		}
	}
	row, err := s.codec(ctx, codecs, "of it ids, times and figures", archive.Mix, 2, bare)
	if err != nil {
		return nil, err
	}
	out = append(out, row)
	if o.Parts == nil {
		return out, nil
	}
	parts, err := s.shipped(ctx, o, primed)
	return append(out, parts...), err
}

// shipped measures the tables of a ClickHouse.
func (s *set) shipped(ctx context.Context, o Options, primed []byte) ([]Row, error) {
	for i := range s.rows {
		s.rows[i].Dict = primed
		s.rows[i].Blob = archive.Blob{ID: s.rows[i].Head.ID, Version: 35, Codec: archive.Mix, Dict: 2, Messages: int64(len(s.rows[i].Messages)),
			RawSize: int64(len(s.json[i])), Data: s.packed[i], Sealed: s.rows[i].Head.UpdatedAt.Add(24 * time.Hour)}
	}
	p, err := o.Parts(ctx, s.rows)
	if err != nil {
		return nil, err
	}
	return []Row{
		s.row("ClickHouse sessions, "+p.Server, p.Sessions),
		s.row("ClickHouse messages, "+p.Server, p.Messages),
		s.row("ClickHouse both, "+p.Server, p.Sessions+p.Messages),
	}, nil
}

// withoutTexts is a packed record of messages that say nothing.
func withoutTexts(msgs []chat.Message) ([]byte, error) {
	out := slices.Clone(msgs)
	for i := range out {
		out[i].Text = ""
	}
	return archive.Pack(nil, out)
}

// blocks joins n records each.
func blocks(records [][]byte, n int) [][]byte {
	var out [][]byte
	for i := 0; i < len(records); i += n {
		var b []byte
		for _, r := range records[i:min(i+n, len(records))] {
			b = append(b, r...)
		}
		out = append(out, b)
	}
	return out
}

func (s *set) codec(ctx context.Context, c *archive.Codecs, name, codec string, dict int64, data [][]byte) (Row, error) {
	var size int64
	var packing, opening time.Duration
	for i, d := range data {
		start := time.Now()
		b, err := c.Compress(ctx, codec, dict, d)
		if err != nil {
			return Row{}, err
		}
		middle := time.Now()
		back, err := c.Expand(ctx, codec, dict, b)
		if err != nil || string(back) != string(d) {
			return Row{}, fmt.Errorf("%s does not read back number %d: %w", name, i, err)
		}
		if i > 0 { // the first sets the codec up
			packing, opening = packing+middle.Sub(start), opening+time.Since(middle)
		}
		size += int64(len(b))
		if name == Chosen {
			s.packed = append(s.packed, b)
		}
	}
	row := s.row(name, size)
	row.PackUS = float64(packing.Microseconds()) / float64(max(len(s.rows)-1, 1))
	row.OpenUS = float64(opening.Microseconds()) / float64(max(len(s.rows)-1, 1))
	return row, nil
}

func (r Report) print(w io.Writer, sets []set) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	for i := range sets {
		s := &sets[i]
		n := int64(max(len(s.rows), 1))
		fmt.Fprintf(tw, "\n%s: %d conversations, %d bytes of JSON each, %d of them text\t\t\t\t\t\t\n", s.name, n, s.raw/n, s.text/n)
		fmt.Fprintln(tw, "method\tbytes each\tagainst JSON\tagainst text\tpack us\topen us\t")
		for _, row := range r.Rows {
			if row.Set == s.name {
				fmt.Fprintf(tw, "%s\t%d\t%.1f\t%.2f\t%.0f\t%.0f\t\n", row.Method, row.Bytes/n, row.JSON, row.Text, row.PackUS, row.OpenUS)
			}
		}
	}
	return tw.Flush()
}
