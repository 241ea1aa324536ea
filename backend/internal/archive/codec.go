package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"haoke/backend/internal/archive/mix"
	"haoke/backend/internal/chat"
)

// Codecs as blobs name them. The setting "auto" is not one of them.
const (
	Snappy   = "snappy"
	S2       = "s2"
	Zstd     = "zstd"
	ZstdDict = "zstd+dict"
	// Mix is context mixing primed with the dictionary: the smallest, at about
	// 4 microseconds a byte both ways.
	Mix = "mix+dict"
)

// mixersKept bounds the primed models in memory, 20 MB each.
const mixersKept = 2

// zstdMagic begins every zstd frame. Blobs name their codec, so it is left out
// of them and put back for reading.
var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// dictID is what every dictionary calls itself inside zstd: blobs name theirs
// by the store's number, and a small one costs one byte a frame.
const dictID = 1

// readersKept bounds the decoders in memory, one for each dictionary. Older
// ones are made again when an old blob is opened.
const readersKept = 4

// DictReader finds a stored dictionary.
type DictReader interface {
	// Dict returns a dictionary; chat.ErrNotFound when there is none.
	Dict(ctx context.Context, id int64) (codec string, data []byte, err error)
}

// Codecs compresses and expands packed records. It is safe for concurrent use.
type Codecs struct {
	dicts DictReader

	mu      sync.Mutex
	plain   *zstd.Encoder
	quick   *zstd.Encoder // for large records
	writer  *zstd.Encoder // with dictionary writerOf
	wroteBy int64
	readers map[int64]*zstd.Decoder
	order   []int64
	mixers  map[int64]*mix.Codec
	mixed   []int64 // order in which mixers were made
}

// NewCodecs returns the codecs over the stored dictionaries.
func NewCodecs(dicts DictReader) *Codecs {
	return &Codecs{dicts: dicts, readers: map[int64]*zstd.Decoder{}, mixers: map[int64]*mix.Codec{}}
}

// Compress packs a record with a codec (Mix takes nothing but records); dict is the dictionary for ZstdDict, 0
// otherwise.
func (c *Codecs) Compress(ctx context.Context, codec string, dict int64, record []byte) ([]byte, error) {
	if len(record) > MaxRecord {
		return nil, fmt.Errorf("compress conversation: %d bytes are more than a blob may hold", len(record))
	}
	switch codec {
	case Snappy:
		return snappy.Encode(nil, record), nil
	case S2:
		return s2.EncodeBest(nil, record), nil
	case Zstd, ZstdDict:
		w, err := c.writerFor(ctx, codec, dict, len(record))
		if err != nil {
			return nil, fmt.Errorf("compress conversation: %w", err)
		}
		return bytes.TrimPrefix(w.EncodeAll(record, nil), zstdMagic), nil
	case Mix:
		out, err := c.mix(ctx, dict, record)
		if err != nil {
			return nil, fmt.Errorf("compress conversation: %w", err)
		}
		return out, nil
	}
	return nil, fmt.Errorf("compress conversation: unknown codec %q", codec)
}

// Expand is the reverse of Compress. What does not decode is ErrCorrupt; a
// dictionary that is not there is another error.
func (c *Codecs) Expand(ctx context.Context, codec string, dict int64, data []byte) ([]byte, error) {
	var out []byte
	var err error
	switch codec {
	case Snappy, S2:
		// S2 reads both; what snappy wrote is read by snappy all the same.
		var n int
		if n, err = snappy.DecodedLen(data); err == nil && n > MaxRecord {
			err = errors.New("too large")
		}
		switch {
		case err != nil:
		case codec == Snappy:
			out, err = snappy.Decode(nil, data)
		default:
			out, err = s2.Decode(nil, data)
		}
	case Zstd, ZstdDict:
		r, rerr := c.readerFor(ctx, codec, dict)
		if rerr != nil {
			return nil, fmt.Errorf("expand conversation: %w", rerr)
		}
		out, err = r.DecodeAll(append(append(make([]byte, 0, len(data)+4), zstdMagic...), data...), nil)
	case Mix:
		m, merr := c.mixerFor(ctx, dict)
		if merr != nil {
			return nil, fmt.Errorf("expand conversation: %w", merr)
		}
		out, err = unmix(m, data)
	default:
		return nil, fmt.Errorf("expand conversation: codec %q is not known to this version: %w", codec, ErrCorrupt)
	}
	if err != nil {
		return nil, fmt.Errorf("expand conversation: %w: %w", ErrCorrupt, err)
	}
	return out, nil
}

// mix compresses a record's messages by context mixing.
func (c *Codecs) mix(ctx context.Context, dict int64, record []byte) ([]byte, error) {
	m, err := c.mixerFor(ctx, dict)
	if err != nil {
		return nil, err
	}
	msgs, err := Unpack(record)
	if err != nil {
		return nil, err
	}
	return m.Compress(msgs)
}

func unmix(m *mix.Codec, data []byte) ([]byte, error) {
	msgs, err := m.Expand(data)
	if err != nil {
		return nil, err
	}
	return Pack(nil, msgs)
}

// quickFrom is the size of a record from which plain zstd does without its best
// level: 50 MB take 20 s at that, half a second at the ordinary one.
const quickFrom = 1 << 20

// newWriter makes an encoder. One goroutine: with more, a dictionary would not
// reach all blocks.
func newWriter(dict []byte, level zstd.EncoderLevel) (*zstd.Encoder, error) {
	opts := []zstd.EOption{
		zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(1 << 20), zstd.WithZeroFrames(true), zstd.WithAllLitEntropyCompression(true),
	}
	if dict != nil {
		opts = append(opts, zstd.WithEncoderDict(dict))
	}
	return zstd.NewWriter(nil, opts...)
}

func newReader(dict []byte) (*zstd.Decoder, error) {
	opts := []zstd.DOption{zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxRecord), zstd.WithDecoderLowmem(true)}
	if dict != nil {
		opts = append(opts, zstd.WithDecoderDicts(dict))
	}
	return zstd.NewReader(nil, opts...)
}

// dictFor loads a dictionary; none for plain zstd.
func (c *Codecs) dictFor(ctx context.Context, codec string, id int64) ([]byte, error) {
	if codec == Zstd {
		return nil, nil
	}
	kind, data, err := c.dicts.Dict(ctx, id)
	if errors.Is(err, chat.ErrNotFound) {
		// Not chat.ErrNotFound: the conversation is there, and must not be taken
		// for one that has been deleted.
		return nil, fmt.Errorf("dictionary %d is missing: %w", id, ErrCorrupt)
	}
	if err != nil {
		return nil, fmt.Errorf("dictionary %d: %w", id, err)
	}
	if kind != codec || len(data) == 0 {
		return nil, fmt.Errorf("dictionary %d is for %q, not for %q", id, kind, codec)
	}
	return data, nil
}

func (c *Codecs) writerFor(ctx context.Context, codec string, id int64, size int) (*zstd.Encoder, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	level, kept := zstd.SpeedBestCompression, &c.writer
	switch {
	case codec == ZstdDict:
		if c.wroteBy != id {
			c.writer = nil
		}
	case size >= quickFrom:
		level, kept = zstd.SpeedDefault, &c.quick
	default:
		kept = &c.plain
	}
	if *kept != nil {
		return *kept, nil
	}
	dict, err := c.dictFor(ctx, codec, id)
	if err != nil {
		return nil, err
	}
	w, err := newWriter(dict, level)
	if err != nil {
		return nil, err
	}
	*kept = w
	if codec == ZstdDict {
		c.wroteBy = id
	}
	return w, nil
}

func (c *Codecs) mixerFor(ctx context.Context, id int64) (*mix.Codec, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.mixers[id]; m != nil {
		return m, nil
	}
	dict, err := c.dictFor(ctx, Mix, id)
	if err != nil {
		return nil, err
	}
	if len(c.mixed) == mixersKept {
		delete(c.mixers, c.mixed[0])
		c.mixed = c.mixed[1:]
	}
	texts, err := primingOf(dict)
	if err != nil {
		return nil, fmt.Errorf("dictionary %d: %w", id, err)
	}
	m := mix.New(crc32.ChecksumIEEE(dict), texts)
	c.mixers[id], c.mixed = m, append(c.mixed, id)
	return m, nil
}

func (c *Codecs) readerFor(ctx context.Context, codec string, id int64) (*zstd.Decoder, error) {
	if codec == Zstd {
		id = 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.readers[id]; r != nil {
		return r, nil
	}
	dict, err := c.dictFor(ctx, codec, id)
	if err != nil {
		return nil, err
	}
	r, err := newReader(dict)
	if err != nil {
		return nil, fmt.Errorf("dictionary %d: %w", id, err)
	}
	if len(c.order) == readersKept {
		// Not closed: another goroutine may be using it; it holds no goroutine.
		delete(c.readers, c.order[0])
		c.order = c.order[1:]
	}
	c.readers[id], c.order = r, append(c.order, id)
	return r, nil
}
