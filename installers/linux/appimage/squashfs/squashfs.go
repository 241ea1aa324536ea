// Package squashfs reads the SquashFS 4.0 images that mksquashfs writes with
// -comp zstd -no-fragments -no-xattrs: folders, files and symbolic links. The
// format is described at https://dr-emann.github.io/squashfs/.
package squashfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Bounds of an image. What goes beyond is ErrFormat.
const (
	maxEntries = 10_000
	maxDepth   = 32
	maxBlock   = 1 << 20 // of a file's data, the format's own bound
	metaBlock  = 8 << 10 // of inodes and folders, the format's own size
)

const (
	magic      = 0x73717368
	zstdID     = 6
	noFragment = 0xffffffff
)

// ErrFormat: this is no image that this package reads, or it is damaged.
var ErrFormat = errors.New("the image is damaged or of another form")

// Image is an open image. It is not safe for concurrent use.
type Image struct {
	r    io.ReaderAt
	z    *zstd.Decoder
	head superblock
	seen int
}

// superblock is how an image begins.
type superblock struct {
	Magic, Inodes, Time, BlockSize, Fragments uint32
	Compressor, BlockLog, Flags, IDs          uint16
	Major, Minor                              uint16
	Root, Bytes, IDTable, Xattrs              uint64
	InodeTable, DirTable, FragTable, Exports  uint64
}

// Open reads an image's head. Close gives back what the image holds.
func Open(r io.ReaderAt) (*Image, error) {
	i := &Image{r: r}
	if err := binary.Read(io.NewSectionReader(r, 0, 96), binary.LittleEndian, &i.head); err != nil {
		return nil, fmt.Errorf("%w: its head cannot be read: %w", ErrFormat, err)
	}
	h := i.head
	switch {
	case h.Magic != magic || h.Major != 4 || h.Minor != 0:
		return nil, fmt.Errorf("%w: no SquashFS 4.0", ErrFormat)
	case h.Compressor != zstdID:
		return nil, fmt.Errorf("%w: packed by method %d, not by Zstandard", ErrFormat, h.Compressor)
	case h.BlockSize < 4096 || h.BlockSize > maxBlock || h.Inodes > maxEntries:
		return nil, fmt.Errorf("%w: blocks of %d bytes, %d entries", ErrFormat, h.BlockSize, h.Inodes)
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(16<<20))
	if err != nil {
		return nil, err
	}
	i.z = z
	return i, nil
}

// Close gives back what the image holds; the reader stays open.
func (i *Image) Close() { i.z.Close() }

// block reads n bytes at an offset and unpacks them, to at most most bytes.
func (i *Image) block(at int64, n int, packed bool, most int) ([]byte, error) {
	raw := make([]byte, n)
	if _, err := i.r.ReadAt(raw, at); err != nil {
		return nil, fmt.Errorf("%w: it ends too early: %w", ErrFormat, err)
	}
	if packed {
		var err error
		if raw, err = i.z.DecodeAll(raw, make([]byte, 0, most)); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
	}
	if len(raw) > most {
		return nil, fmt.Errorf("%w: a block of %d bytes", ErrFormat, len(raw))
	}
	return raw, nil
}

// meta reads one of the image's tables from a place in it on, block by block.
type meta struct {
	i    *Image
	next int64 // where the next block lies
	rest []byte
}

// table is a reader that begins skip bytes into the block at offset at.
func (i *Image) table(at uint64, skip uint16) (*meta, error) {
	m := &meta{i: i, next: int64(at)}
	if int64(at) < 0 || at > i.head.Bytes {
		return nil, fmt.Errorf("%w: a table at %d", ErrFormat, at)
	}
	if err := m.more(); err != nil {
		return nil, err
	}
	if int(skip) > len(m.rest) {
		return nil, fmt.Errorf("%w: a block of a table is too short", ErrFormat)
	}
	m.rest = m.rest[skip:]
	return m, nil
}

func (m *meta) more() error {
	var size [2]byte
	if _, err := m.i.r.ReadAt(size[:], m.next); err != nil {
		return fmt.Errorf("%w: it ends too early: %w", ErrFormat, err)
	}
	n := binary.LittleEndian.Uint16(size[:])
	length := int(n &^ 0x8000)
	if length == 0 || length > metaBlock {
		return fmt.Errorf("%w: a block of %d bytes in a table", ErrFormat, length)
	}
	data, err := m.i.block(m.next+2, length, n&0x8000 == 0, metaBlock)
	m.next += 2 + int64(length)
	m.rest = data
	return err
}

// Read implements io.Reader.
func (m *meta) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		if err := m.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// get reads fixed fields.
func (m *meta) get(fields ...any) error {
	for _, f := range fields {
		if err := binary.Read(m, binary.LittleEndian, f); err != nil {
			return err
		}
	}
	return nil
}

// text reads n bytes.
func (m *meta) text(n int) (string, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(m, b)
	return string(b), err
}
