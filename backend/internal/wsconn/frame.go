package wsconn

import (
	"encoding/binary"
	"unicode/utf8"
)

// The frames of RFC 6455, section 5.2.
const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xA

	bitFin    = 0x80
	bitsRSV   = 0x70
	bitMask   = 0x80
	opControl = 0x8 // set in the op codes of control frames

	// maxControl is the longest payload of a control frame.
	maxControl = 125
)

// Close codes of RFC 6455, section 7.4.1, that this package sends by itself.
const (
	closeNormal   = 1000
	closeProtocol = 1002
	closeNoStatus = 1005 // never on the wire
	closeText     = 1007
	closeTooBig   = 1009
)

// failure is what a peer did against the protocol. It closes the socket with
// its code.
type failure struct {
	code int
	why  string
}

// Error implements error.
func (f *failure) Error() string { return f.why }

var (
	errRSV       = &failure{closeProtocol, "reserved bits set"}
	errOp        = &failure{closeProtocol, "unknown kind of frame"}
	errUnmasked  = &failure{closeProtocol, "frame without a mask"}
	errControl   = &failure{closeProtocol, "control frame in pieces or too long"}
	errSize      = &failure{closeProtocol, "impossible length"}
	errOrder     = &failure{closeProtocol, "pieces of messages out of order"}
	errCloseBody = &failure{closeProtocol, "bad close frame"}
	errText      = &failure{closeText, "not valid UTF-8"}
	errTooBig    = &failure{closeTooBig, "message too big"}
)

// header is a frame's header.
type header struct {
	op   byte
	fin  bool
	mask [4]byte
	len  int // bytes of the header itself
	size int // bytes of the payload
}

// parseHeader reads the header at the start of b; whole is false while bytes
// are missing. It refuses what no peer may send, at the earliest byte that
// shows it. A payload above limit is errTooBig: nobody waits for it.
func parseHeader(b []byte, limit int) (h header, whole bool, err error) {
	if len(b) == 0 {
		return h, false, nil
	}
	h.fin, h.op = b[0]&bitFin != 0, b[0]&0x0F
	switch {
	case b[0]&bitsRSV != 0:
		return h, false, errRSV // no extension is ever agreed on
	case h.op > opBinary && h.op < opClose || h.op > opPong:
		return h, false, errOp
	case h.op&opControl != 0 && !h.fin:
		return h, false, errControl
	case len(b) == 1:
		return h, false, nil
	case b[1]&bitMask == 0:
		return h, false, errUnmasked
	}
	size := uint64(b[1] &^ bitMask)
	if h.op&opControl != 0 && size > maxControl {
		return h, false, errControl
	}
	h.len = 2
	switch size {
	case 126:
		if len(b) < 4 {
			return h, false, nil
		}
		h.len, size = 4, uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if len(b) < 10 {
			return h, false, nil
		}
		h.len, size = 10, binary.BigEndian.Uint64(b[2:])
		if size>>63 != 0 {
			return h, false, errSize
		}
	}
	if size > uint64(limit) {
		return h, false, errTooBig
	}
	h.size = int(size)
	if len(b) < h.len+4 {
		return h, false, nil
	}
	copy(h.mask[:], b[h.len:])
	h.len += 4
	return h, true, nil
}

// unmask undoes a peer's mask in place (RFC 6455, section 5.3), eight bytes at
// a time.
func unmask(b []byte, mask [4]byte) {
	m := uint64(binary.LittleEndian.Uint32(mask[:]))
	m |= m << 32
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^m)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= mask[i&3]
	}
}

// appendFrame appends one whole frame as a server sends it: without a mask.
func appendFrame(dst []byte, op byte, payload []byte) []byte {
	n := len(payload)
	switch {
	case n < 126:
		dst = append(dst, bitFin|op, byte(n))
	case n <= 0xFFFF:
		dst = append(dst, bitFin|op, 126, byte(n>>8), byte(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, bitFin|op, 127), uint64(n))
	}
	return append(dst, payload...)
}

// appendClose appends a close frame. A code that may not be sent becomes one
// without a code; a long reason is cut at a character.
func appendClose(dst []byte, code int, reason string) []byte {
	if !sendable(code) {
		return appendFrame(dst, opClose, nil)
	}
	for len(reason) > maxControl-2 || !utf8.ValidString(reason) {
		_, size := utf8.DecodeLastRuneInString(reason)
		reason = reason[:len(reason)-size]
	}
	var body [maxControl]byte
	binary.BigEndian.PutUint16(body[:], uint16(code))
	return appendFrame(dst, opClose, body[:2+copy(body[2:], reason)])
}

// sendable reports whether a close code may stand in a frame: RFC 6455,
// section 7.4, with the codes that IANA has registered since.
func sendable(code int) bool {
	switch {
	case code >= 3000 && code <= 4999:
		return true
	case code == 1004, code == closeNoStatus, code == 1006:
		return false
	}
	return code >= closeNormal && code <= 1014
}

// parseClose reads the payload of a close frame; no payload is closeNoStatus.
func parseClose(b []byte) (code int, err error) {
	switch {
	case len(b) == 0:
		return closeNoStatus, nil
	case len(b) == 1:
		return 0, errCloseBody
	}
	code = int(binary.BigEndian.Uint16(b))
	if !sendable(code) {
		return 0, errCloseBody
	}
	if !utf8.Valid(b[2:]) {
		return 0, errText
	}
	return code, nil
}
