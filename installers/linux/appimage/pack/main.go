// Command pack puts a runtime and a SquashFS image together to an AppImage:
//
//	pack RUNTIME IMAGE OUT
//
// The runtime's ELF head gets the mark of the form ('A', 'I', 2 at offset 8),
// and the table of its sections goes to its end: there every reader of the form
// looks for the image.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// page is what the image's place is a multiple of, so that it can be mounted
// by its offset.
const page = 4096

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: pack RUNTIME IMAGE OUT")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func pack(runtime, image, out string) error {
	program, err := os.ReadFile(runtime)
	if err != nil {
		return err
	}
	squash, err := os.ReadFile(image)
	if err != nil {
		return err
	}
	if program, err = marked(program); err != nil {
		return err
	}
	if !bytes.HasPrefix(squash, []byte("hsqs")) {
		return errors.New("the image is no SquashFS")
	}
	return os.WriteFile(out, append(program, squash...), 0o755)
}

// marked is a program of 64 bits, least byte first, in the form's shape.
func marked(program []byte) ([]byte, error) {
	if len(program) < 64 || !bytes.HasPrefix(program, []byte("\x7fELF\x02\x01")) {
		return nil, errors.New("the runtime is no ELF program of 64 bits")
	}
	p := bytes.Clone(program)
	copy(p[8:], "AI\x02")
	at := binary.LittleEndian.Uint64(p[40:])
	length := uint64(binary.LittleEndian.Uint16(p[58:])) * uint64(binary.LittleEndian.Uint16(p[60:]))
	if at+length > uint64(len(p)) || length == 0 {
		return nil, errors.New("the runtime has no table of sections")
	}
	table := bytes.Clone(p[at : at+length])
	end := (uint64(len(p)) + length + page - 1) / page * page
	p = append(p, make([]byte, end-length-uint64(len(p)))...)
	binary.LittleEndian.PutUint64(p[40:], end-length)
	return append(p, table...), nil
}
