// Package frontend carries the built pages inside the program: the visitors'
// widget and the admin page. `make frontend` builds them; a program built
// without them says so on its pages.
package frontend

import (
	"embed"
	"io/fs"
)

//go:embed all:widget/dist all:admin/dist
var built embed.FS

// Widget is the built widget: widget.js, chat.html, demo.html and their parts.
func Widget() fs.FS { return sub("widget/dist") }

// Admin is the built admin page: index.html and its parts.
func Admin() fs.FS { return sub("admin/dist") }

func sub(dir string) fs.FS {
	f, err := fs.Sub(built, dir)
	if err != nil {
		panic(err) // only a malformed path fails, and dir is ours
	}
	return f
}
