package squashfs

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Kinds of inodes; the extended ones are these and 7.
const (
	basicDir  = 1
	basicFile = 2
	basicLink = 3
	extended  = 7
)

// Entry is a folder, a file or a symbolic link of an image.
type Entry struct {
	Path   string      // relative, with "/" between the names; "." is the root
	Mode   fs.FileMode // type and permissions
	Size   int64       // of a file, in bytes
	Target string      // of a symbolic link

	image  *Image
	start  uint64   // of a file: where its data lies
	blocks []uint32 // of a file: the sizes of its blocks
	list   uint64   // of a folder: the block of its list
	skip   uint16   // of a folder: where in that block
	length uint32   // of a folder: bytes of its list, and 3
}

// Walk calls f for the root and everything in it, folders before what is in
// them, in the order of names. An error of f ends it and is returned.
func (i *Image) Walk(f func(*Entry) error) error {
	i.seen = 0
	return i.walk(".", i.head.InodeTable+i.head.Root>>16, uint16(i.head.Root), 0, f)
}

func (i *Image) walk(name string, block uint64, skip uint16, depth int, f func(*Entry) error) error {
	if i.seen++; i.seen > maxEntries || depth > maxDepth {
		return fmt.Errorf("%w: too many entries", ErrFormat)
	}
	e, err := i.inode(name, block, skip)
	if err != nil {
		return err
	}
	if err := f(e); err != nil || !e.Mode.IsDir() {
		return err
	}
	return i.folder(e, func(child string, block uint64, skip uint16) error {
		return i.walk(path.Join(name, child), block, skip, depth+1, f)
	})
}

// inode reads what an entry is.
func (i *Image) inode(name string, block uint64, skip uint16) (*Entry, error) {
	m, err := i.table(block, skip)
	if err != nil {
		return nil, err
	}
	var kind, perm, ids, ids2 uint16
	var time, number uint32
	if err := m.get(&kind, &perm, &ids, &ids2, &time, &number); err != nil {
		return nil, err
	}
	e := &Entry{Path: name, Mode: fs.FileMode(perm) & fs.ModePerm, image: i}
	switch kind {
	case basicDir, basicDir + extended:
		err = e.readDir(m, kind == basicDir)
	case basicFile, basicFile + extended:
		err = e.readFile(m, kind == basicFile)
	case basicLink, basicLink + extended:
		err = e.readLink(m)
	default:
		err = fmt.Errorf("%w: %s is neither folder, file nor link", ErrFormat, name)
	}
	return e, err
}

func (e *Entry) readDir(m *meta, basic bool) error {
	e.Mode |= fs.ModeDir
	var block, links, parent, xattr uint32
	var index uint16
	if !basic {
		err := m.get(&links, &e.length, &block, &parent, &index, &e.skip, &xattr)
		e.list = e.image.head.DirTable + uint64(block)
		return err
	}
	var length uint16
	err := m.get(&block, &links, &length, &e.skip, &parent)
	e.list, e.length = e.image.head.DirTable+uint64(block), uint32(length)
	return err
}

func (e *Entry) readFile(m *meta, basic bool) error {
	var fragment, offset, links, xattr uint32
	var size, sparse uint64
	var err error
	if basic {
		var start, length uint32
		err = m.get(&start, &fragment, &offset, &length)
		e.start, size = uint64(start), uint64(length)
	} else {
		err = m.get(&e.start, &size, &sparse, &links, &fragment, &offset, &xattr)
	}
	if err != nil {
		return err
	}
	blocks := (size + uint64(e.image.head.BlockSize) - 1) / uint64(e.image.head.BlockSize)
	if fragment != noFragment || size > 4<<30 {
		return fmt.Errorf("%w: %s has %d bytes, or ends in a fragment", ErrFormat, e.Path, size)
	}
	e.Size, e.blocks = int64(size), make([]uint32, blocks)
	return m.get(e.blocks)
}

func (e *Entry) readLink(m *meta) error {
	e.Mode |= fs.ModeSymlink
	var links, length uint32
	err := m.get(&links, &length)
	if err == nil && length > 4096 {
		err = fmt.Errorf("%w: the link %s", ErrFormat, e.Path)
	}
	if err == nil {
		e.Target, err = m.text(int(length))
	}
	return err
}

// folder calls f for each entry of a folder's list.
func (i *Image) folder(e *Entry, f func(name string, block uint64, skip uint16) error) error {
	if e.length <= 3 {
		return nil
	}
	m, err := i.table(e.list, e.skip)
	if err != nil {
		return err
	}
	for left := int64(e.length) - 3; left > 0; {
		var count, block, number uint32
		if err := m.get(&count, &block, &number); err != nil {
			return err
		}
		left -= 12
		if count >= 256 {
			return fmt.Errorf("%w: the list of %s", ErrFormat, e.Path)
		}
		for range count + 1 {
			var skip, diff, kind, length uint16
			if err := m.get(&skip, &diff, &kind, &length); err != nil {
				return err
			}
			name, err := m.text(int(length) + 1)
			if err != nil {
				return err
			}
			left -= 8 + int64(len(name))
			if name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
				return fmt.Errorf("%w: an entry called %q", ErrFormat, name)
			}
			if err := f(name, i.head.InodeTable+uint64(block), skip); err != nil {
				return err
			}
		}
	}
	return nil
}

// WriteTo implements io.WriterTo: a file's content.
func (e *Entry) WriteTo(w io.Writer) (int64, error) {
	var done int64
	at := int64(e.start)
	for _, b := range e.blocks {
		want := min(int64(e.image.head.BlockSize), e.Size-done)
		var data []byte
		switch length := int(b &^ (1 << 24)); {
		case length == 0: // nothing but zeros
			data = make([]byte, want)
		case length > maxBlock:
			return done, fmt.Errorf("%w: a block of %s", ErrFormat, e.Path)
		default:
			var err error
			if data, err = e.image.block(at, length, b&(1<<24) == 0, int(e.image.head.BlockSize)); err != nil {
				return done, err
			}
			at += int64(length)
		}
		if int64(len(data)) != want {
			return done, fmt.Errorf("%w: %s has a block of %d bytes, not %d", ErrFormat, e.Path, len(data), want)
		}
		n, err := w.Write(data)
		done += int64(n)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}
