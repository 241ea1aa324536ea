package secret

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// ErrPassphrase: the passphrase is wrong, or the file's head is damaged.
var ErrPassphrase = errors.New("the passphrase is wrong or the file is damaged")

// The sealed file: magic, argon2id parameters, salt, nonce prefix, then chunks
// of 64 KiB sealed one by one. The nonce carries a counter and a mark of the
// last chunk (the STREAM construction of Hoang, Reyhanitabar, Rogaway and
// Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
// Misuse-Resistance", 2015), so that chunks can be neither reordered nor cut
// off unnoticed.
const (
	magic      = "HAOKESEAL1\n"
	chunkSize  = 64 << 10
	saltSize   = 16
	prefixSize = chacha20poly1305.NonceSizeX - 5
	fileHead   = len(magic) + 4 + 4 + 1 + saltSize + prefixSize
)

// Parameters of argon2id: what new files get and what old ones may ask for, so
// that a hostile file cannot take all memory.
const (
	argonTime, argonMemory, argonThreads = 3, 64 << 10, 2 // memory in KiB
	maxTime, maxMemory, maxThreads       = 16, 512 << 10, 8
)

// SealTo returns a writer whose bytes arrive in w sealed with the passphrase.
// Close writes the last chunk; without it the file does not open. It derives
// the key at once, which takes some 100 ms and 64 MiB.
func SealTo(w io.Writer, passphrase string) (io.WriteCloser, error) {
	if passphrase == "" {
		return nil, errors.New("seal: the passphrase is empty")
	}
	head := make([]byte, 0, fileHead)
	head = append(head, magic...)
	head = binary.BigEndian.AppendUint32(head, argonTime)
	head = binary.BigEndian.AppendUint32(head, argonMemory)
	head = append(head, argonThreads)
	random := make([]byte, saltSize+prefixSize)
	rand.Read(random)
	head = append(head, random...)
	aead, err := derive(passphrase, head)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(head); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return &sealWriter{w: w, chunks: chunks{aead: aead, head: head}}, nil
}

// OpenFrom returns a reader of what SealTo wrote. Errors: ErrPassphrase at
// once, ErrDamaged while reading; bytes read before ErrDamaged are genuine.
func OpenFrom(r io.Reader, passphrase string) (io.Reader, error) {
	head := make([]byte, fileHead)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("open: %w", ErrPassphrase)
	}
	if !bytes.HasPrefix(head, []byte(magic)) {
		return nil, fmt.Errorf("open: not a sealed file: %w", ErrPassphrase)
	}
	aead, err := derive(passphrase, head)
	if err != nil {
		return nil, err
	}
	or := &openReader{r: r, chunks: chunks{aead: aead, head: head}, in: make([]byte, chunkSize+aead.Overhead()+1)}
	// the first chunk tells a wrong passphrase from a right one
	if err := or.next(); err != nil && !errors.Is(err, io.EOF) {
		if errors.Is(err, ErrDamaged) {
			err = ErrPassphrase
		}
		return nil, fmt.Errorf("open: %w", err)
	}
	return or, nil
}

// SealBytes seals a short text with a passphrase.
func SealBytes(plain []byte, passphrase string) ([]byte, error) {
	var buf bytes.Buffer
	w, err := SealTo(&buf, passphrase)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// OpenBytes opens what SealBytes made.
func OpenBytes(sealed []byte, passphrase string) ([]byte, error) {
	r, err := OpenFrom(bytes.NewReader(sealed), passphrase)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func derive(passphrase string, head []byte) (cipher.AEAD, error) {
	at := head[len(magic):]
	time, memory, threads := binary.BigEndian.Uint32(at), binary.BigEndian.Uint32(at[4:]), at[8]
	if time == 0 || time > maxTime || memory < 8 || memory > maxMemory || threads == 0 || threads > maxThreads {
		return nil, fmt.Errorf("open: %w", ErrPassphrase)
	}
	key := argon2.IDKey([]byte(passphrase), at[9:9+saltSize], time, memory, threads, keySize)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return aead, nil
}

// chunks makes the nonces of a stream.
type chunks struct {
	aead  cipher.AEAD
	head  []byte // bound to every chunk
	count uint32
}

var errTooLong = errors.New("seal: the file is too long")

func (c *chunks) nonce(last bool) ([]byte, error) {
	if c.count == 1<<32-1 {
		return nil, errTooLong
	}
	n := make([]byte, 0, chacha20poly1305.NonceSizeX)
	n = append(n, c.head[fileHead-prefixSize:]...)
	n = binary.BigEndian.AppendUint32(n, c.count)
	c.count++
	if last {
		return append(n, 1), nil
	}
	return append(n, 0), nil
}

type sealWriter struct {
	chunks
	w      io.Writer
	buf    []byte
	out    []byte
	closed bool
}

// Write implements io.Writer. A chunk leaves only when more follows it, so
// that the last one can be marked.
func (s *sealWriter) Write(p []byte) (int, error) {
	if s.closed {
		return 0, errors.New("seal: write after close")
	}
	written := 0
	for len(p) > 0 {
		if len(s.buf) == chunkSize {
			if err := s.flush(false); err != nil {
				return written, err
			}
		}
		n := min(len(p), chunkSize-len(s.buf))
		s.buf = append(s.buf, p[:n]...)
		p, written = p[n:], written+n
	}
	return written, nil
}

func (s *sealWriter) flush(last bool) error {
	nonce, err := s.nonce(last)
	if err != nil {
		return err
	}
	s.out = s.aead.Seal(s.out[:0], nonce, s.buf, s.head)
	s.buf = s.buf[:0]
	if _, err := s.w.Write(s.out); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return nil
}

// Close implements io.Closer; it does not close the writer below.
func (s *sealWriter) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return s.flush(true)
}

type openReader struct {
	chunks
	r     io.Reader
	in    []byte // one sealed chunk and the first byte of the next
	have  int
	plain []byte
	end   bool
}

// Read implements io.Reader.
func (o *openReader) Read(p []byte) (int, error) {
	for len(o.plain) == 0 {
		if o.end {
			return 0, io.EOF
		}
		if err := o.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, o.plain)
	o.plain = o.plain[n:]
	return n, nil
}

// next opens a chunk; it is the last one when nothing follows it.
func (o *openReader) next() error {
	n, err := io.ReadFull(o.r, o.in[o.have:])
	o.have += n
	last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !last {
		return fmt.Errorf("open: %w", err)
	}
	size := o.have
	if !last {
		size--
	}
	nonce, err := o.nonce(last)
	if err != nil {
		return err
	}
	o.plain, err = o.aead.Open(o.plain[:0:0], nonce, o.in[:size], o.head)
	if err != nil {
		o.end = true
		return ErrDamaged
	}
	o.have = copy(o.in, o.in[size:o.have])
	o.end = last
	return nil
}
