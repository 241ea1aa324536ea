package main

import (
	"crypto/sha1" // the rule of the system for these names; it keeps no secret
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
)

// serviceSID is the identity that Windows gives to a service's process by its
// name: S-1-5-80 and the SHA-1 of the name in capitals, as UTF-16, in five
// numbers of 32 bits. It is the same on every machine ("sc showsid NAME").
func serviceSID(name string) string {
	var raw []byte
	for _, u := range utf16.Encode([]rune(strings.ToUpper(name))) {
		raw = binary.LittleEndian.AppendUint16(raw, u)
	}
	sum := sha1.Sum(raw)
	sid := "S-1-5-80"
	for i := 0; i < len(sum); i += 4 {
		sid += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(sum[i:]))
	}
	return sid
}
