package wsconn

// maxBeats is how many heartbeats at once the poller answers. A peer that sends
// more is not silent: it gets a goroutine of its own, so that it holds up nobody
// else, and so that nothing is left behind a buffer that is full of them.
const maxBeats = 8

// beatsLocked answers b when it is whole heartbeats and nothing else, as
// Config.Beat tells. It is called with c.mu held.
func (c *Conn) beatsLocked(b []byte) bool {
	beat := c.cfg.Beat
	size := 6 + len(beat) // header and mask of a short frame
	if beat == "" || len(beat) > maxControl || len(b)%size != 0 || len(b) > maxBeats*size || c.closing {
		return false
	}
	for f := b; len(f) > 0; f = f[size:] {
		if !isBeat(f[:size], beat) {
			return false
		}
	}
	for range len(b) / size {
		if c.sendNowLocked(c.cfg.beatAnswer) != nil {
			break // the queue is full: the socket is on its way out
		}
	}
	return true
}

// isBeat reports whether a frame of that length is the message, as a peer sends
// it: whole, text, masked (RFC 6455, section 5.2). f stays as it is.
func isBeat(f []byte, message string) bool {
	if f[0] != bitFin|opText || f[1] != bitMask|byte(len(message)) {
		return false
	}
	mask, payload := f[2:6], f[6:]
	for i := range len(message) {
		if payload[i]^mask[i&3] != message[i] {
			return false
		}
	}
	return true
}
