package archive

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/klauspost/compress/dict"
	"github.com/klauspost/compress/zstd"

	"haoke/backend/internal/archive/mix"
	"haoke/backend/internal/chat"
)

const (
	// trainFrom is how many conversations the first dictionary needs.
	trainFrom = 64
	// samplesKept and sampleBytes bound what is remembered for training.
	samplesKept = 256
	sampleBytes = 8 << 20
	// sampleMax keeps one giant from being the whole dictionary.
	sampleMax = 64 << 10
	// DictSize is the size of a dictionary, in bytes.
	DictSize = 64 << 10
	// examMax bounds the samples that a dictionary is examined with.
	examMax = 32
	// worthIt is what a newer dictionary must save to replace the present one.
	worthIt = 0.97
)

// trainer remembers the latest packed records and decides when they are worth
// a new dictionary: at milestones, each a multiple of the one before, so that
// a shop whose talk changes gets a dictionary that follows.
type trainer struct {
	mu      sync.Mutex
	samples [][]byte
	bytes   int
	next    int // slot that is overwritten next
	seen    int
	goal    int // number of seals at which the next training is due
}

// add remembers a record; size is what it was compressed to.
func (t *trainer) add(record []byte, size int) {
	if len(record) == 0 || len(record) > sampleMax || size == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen++
	if len(t.samples) < samplesKept && t.bytes+len(record) <= sampleBytes {
		t.samples = append(t.samples, record)
		t.bytes += len(record)
		return
	}
	if len(t.samples) == 0 {
		return
	}
	t.next %= len(t.samples)
	t.bytes += len(record) - len(t.samples[t.next])
	t.samples[t.next] = record
	t.next++
}

// due returns the samples when it is time to train.
func (t *trainer) due() [][]byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.goal = max(t.goal, trainFrom)
	if t.seen < t.goal || len(t.samples) < trainFrom {
		return nil
	}
	t.goal = t.seen * 8
	return append([][]byte(nil), t.samples...)
}

// learn trains a dictionary when enough conversations have been seen. At the
// first large round, the conversations that are about to be sealed teach it,
// so that they profit from it themselves.
func (a *Archive) learn(ctx context.Context, ids []chat.ConversationID, s Settings) error {
	if s.Codec == Snappy || s.Codec == S2 {
		return nil
	}
	codec := dictFormat(s.Codec)
	latest, err := a.store.LatestDict(ctx, codec)
	if err != nil {
		return err
	}
	samples := a.trainer.due()
	if samples == nil && latest == 0 && len(ids) >= trainFrom {
		if samples, err = a.peek(ctx, ids); err != nil {
			return err
		}
	}
	if len(samples) < trainFrom {
		return nil
	}
	return a.train(ctx, codec, samples, latest)
}

// peek packs conversations that are due, without sealing them.
func (a *Archive) peek(ctx context.Context, ids []chat.ConversationID) ([][]byte, error) {
	var out [][]byte
	for _, id := range ids[:min(len(ids), samplesKept)] {
		cold, _, err := a.store.State(ctx, id)
		if err != nil || cold {
			continue
		}
		msgs, err := a.sessions.Messages(ctx, id, 0, 0)
		if err != nil {
			return nil, err
		}
		record, err := Pack(nil, msgs)
		if err == nil && len(record) <= sampleMax {
			out = append(out, record)
		}
		if err := a.sessions.Forget(ctx, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// train makes a dictionary of three quarters of the samples and keeps it when
// it does better than the present one on the rest.
func (a *Archive) train(ctx context.Context, codec string, samples [][]byte, latest int64) error {
	var teach, exam [][]byte
	for i, s := range samples {
		if i%4 == 3 && len(exam) < examMax {
			exam = append(exam, s)
		} else {
			teach = append(teach, s)
		}
	}
	data, err := TrainFor(codec, teach)
	if err != nil {
		return err
	}
	fresh, err := sizeWith(ctx, NewCodecs(oneDict{codec, data}), codec, 1, exam)
	if err != nil {
		return err
	}
	present := codec
	if latest == 0 {
		present = Zstd
	}
	was, err := sizeWith(ctx, a.codecs, present, latest, exam)
	if err != nil || float64(fresh) > worthIt*float64(was) {
		return err
	}
	id, err := a.store.AddDict(ctx, codec, data)
	if err != nil {
		return err
	}
	a.cfg.Log.Info("a dictionary for archived conversations was trained", "id", id, "codec", codec, "bytes", len(data), "saves_percent", 100-100*fresh/max(was, 1))
	return nil
}

// sizeWith sums up what samples compress to, each read back.
func sizeWith(ctx context.Context, c *Codecs, codec string, dict int64, samples [][]byte) (int, error) {
	n := 0
	for _, s := range samples {
		b, err := c.Compress(ctx, codec, dict, s)
		if err != nil {
			return 0, err
		}
		back, err := c.Expand(ctx, codec, dict, b)
		if err != nil {
			return 0, fmt.Errorf("read back with dictionary %d: %w", dict, err)
		}
		if !bytes.Equal(back, s) {
			return 0, fmt.Errorf("read back with dictionary %d: %w", dict, ErrCorrupt)
		}
		n += len(b)
	}
	return n, nil
}

// oneDict is a dictionary that is not stored yet.
type oneDict struct {
	codec string
	data  []byte
}

// Dict implements DictReader.
func (d oneDict) Dict(context.Context, int64) (string, []byte, error) { return d.codec, d.data, nil }

// TrainFor makes the dictionary of a codec out of what packed records have in
// common: for Mix the latest of the records made so, since its models learn by
// reading, packed by zstd.
func TrainFor(codec string, samples [][]byte) ([]byte, error) {
	samples, err := anonymousRecords(samples)
	if err != nil {
		return nil, fmt.Errorf("train dictionary: %w", err)
	}
	if codec != Mix {
		return trainZstd(samples, DictSize)
	}
	size, first := 0, len(samples)
	for first > 0 && size+len(samples[first-1]) <= mix.MaxPriming {
		first--
		size += len(samples[first])
	}
	var all []byte
	for _, s := range samples[first:] {
		all = appendBytes(all, s)
	}
	w, err := newWriter(nil, zstd.SpeedBestCompression)
	if err != nil {
		return nil, fmt.Errorf("train dictionary: %w", err)
	}
	defer w.Close()
	return w.EncodeAll(all, nil), nil
}

func anonymousRecords(samples [][]byte) ([][]byte, error) {
	talks := make([][]chat.Message, len(samples))
	var err error
	for i, s := range samples {
		if talks[i], err = Unpack(s); err != nil {
			return nil, err
		}
	}
	out := make([][]byte, len(samples))
	for i, msgs := range anonymous(talks) {
		if out[i], err = Pack(nil, msgs); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// primingOf reads the dictionary of Mix.
func primingOf(dict []byte) ([][]chat.Message, error) {
	z, err := newReader(nil)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	all, err := z.DecodeAll(dict, nil)
	if err != nil {
		return nil, err
	}
	var out [][]chat.Message
	for r := (&reader{rest: all}); len(r.rest) > 0; {
		msgs, err := Unpack(r.bytes())
		if err != nil {
			return nil, err
		}
		out = append(out, msgs)
	}
	return out, nil
}

// trainZstd makes a zstd dictionary of at most size bytes out of packed records.
func trainZstd(samples [][]byte, size int) (data []byte, err error) {
	// The builder is made for files; it must not take the program down when a
	// set of samples is odd.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("train dictionary: %v", r)
		}
	}()
	data, err = dict.BuildZstdDict(samples, dict.Options{MaxDictSize: size, HashBytes: 6, ZstdDictID: dictID, ZstdLevel: zstd.SpeedBestCompression})
	if err != nil {
		return nil, fmt.Errorf("train dictionary: %w", err)
	}
	return data, nil
}
