// Command manifest makes and signs the notice that installed programs ask for
// to learn of a newer version:
//
//	manifest keygen --key FILE
//	manifest make --key FILE --version V [--dir build/dist] [--out DIR/latest.json] [--base URL/] [--notes FILE] [--notes-zh FILE] [--url PAGE] [--from V] [--issued RFC3339] [--days N]
//	manifest check --public KEY[,KEY] FILE
//
// The private key belongs on the makers' machine and nowhere else; the public
// one is compiled in (UPDATE_KEYS of the Makefile). Run it from the
// repository's root: go run ./installers/tools/manifest
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"haoke/backend"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "manifest:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("say what to do: keygen, make or check")
	}
	flags := flag.NewFlagSet("manifest "+args[0], flag.ContinueOnError)
	key := flags.String("key", os.Getenv("HAOKE_RELEASE_KEY_FILE"), "file with the private key")
	switch args[0] {
	case "keygen":
		return keygen(flags, key, args[1:])
	case "make":
		return write(flags, key, args[1:])
	case "check":
		public := flags.String("public", os.Getenv("UPDATE_KEYS"), "public keys in base64, separated by commas")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		version, err := backend.CheckNotice(flags.Arg(0), *public)
		if err == nil {
			fmt.Printf("%s: version %s, signed by a known key\n", flags.Arg(0), version)
		}
		return err
	}
	return fmt.Errorf("%q is not known: keygen, make or check", args[0])
}

func keygen(flags *flag.FlagSet, key *string, args []string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *key == "" {
		return errors.New("--key is missing: the file to write")
	}
	public, err := backend.NewReleaseKey(*key)
	if err == nil {
		fmt.Println(public)
	}
	return err
}

func write(flags *flag.FlagSet, key *string, args []string) error {
	var n backend.ReleaseNotice
	flags.StringVar(&n.Version, "version", "", "version of the release")
	flags.StringVar(&n.From, "from", "", "oldest version that may update in one step")
	flags.StringVar(&n.URL, "url", "", "page to read more (https)")
	dir := flags.String("dir", "build/dist", "folder of the release's files")
	out := flags.String("out", "", "file to write; default latest.json in --dir")
	base := flags.String("base", "", "address of the files, ending in /; empty: beside the notice")
	notes := flags.String("notes", "", "file with what is new, in English")
	notesZH := flags.String("notes-zh", "", "... in Chinese")
	issued := flags.String("issued", "", "time of the notice (RFC 3339); empty: now")
	days := flags.Int("days", 400, "for how many days the notice counts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	private, err := backend.ReadReleaseKey(*key)
	if err != nil {
		return err
	}
	n.Issued, n.Valid = time.Now(), time.Duration(*days)*24*time.Hour
	if *issued != "" {
		if n.Issued, err = time.Parse(time.RFC3339, *issued); err != nil {
			return fmt.Errorf("--issued: %w", err)
		}
	}
	if n.Notes, err = text(*notes); err != nil {
		return err
	}
	if n.NotesZH, err = text(*notesZH); err != nil {
		return err
	}
	if *out == "" {
		*out = filepath.Join(*dir, "latest.json")
	}
	if err := backend.WriteNotice(n, *dir, *base, *out, private); err != nil {
		return err
	}
	public := private.Public().(ed25519.PublicKey)
	fmt.Printf("%s and %s.sig: version %s, key %s\n", *out, *out, n.Version, base64.StdEncoding.EncodeToString(public))
	return nil
}

// text is what a file says; no file says nothing.
func text(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the notes: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}
