package adminapi

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"runtime/debug"
	"slices"
	"strings"

	"haoke/backend/internal/wire"
)

// knownLicences are the SPDX names of what is built in, by the module's path
// or the beginning of it.
var knownLicences = map[string]string{
	"github.com/wailsapp/":                    "MIT",
	"github.com/leaanthony/":                  "MIT",
	"github.com/samber/lo":                    "MIT",
	"github.com/rivo/uniseg":                  "MIT",
	"github.com/bep/debounce":                 "MIT",
	"github.com/go-ole/go-ole":                "MIT",
	"github.com/pkg/":                         "BSD-2-Clause",
	"github.com/tkrajina/go-reflector":        "Apache-2.0",
	"git.sr.ht/~jackmordaunt/go-toast":        "Unlicense OR MIT",
	"github.com/go-chi/chi":                   "MIT",
	"nhooyr.io/websocket":                     "ISC",
	"modernc.org/":                            "BSD-3-Clause",
	"github.com/ClickHouse/":                  "Apache-2.0",
	"github.com/golang/snappy":                "BSD-3-Clause",
	"github.com/json-iterator/go":             "MIT",
	"github.com/klauspost/compress":           "BSD-3-Clause AND Apache-2.0 AND MIT",
	"github.com/pelletier/go-toml":            "MIT",
	"github.com/spf13/":                       "Apache-2.0",
	"github.com/spf13/pflag":                  "BSD-3-Clause",
	"github.com/prometheus/":                  "Apache-2.0",
	"github.com/pkoukk/tiktoken-go":           "MIT",
	"github.com/pkoukk/tiktoken-go-loader":    "MIT",
	"golang.org/x/":                           "BSD-3-Clause",
	"google.golang.org/":                      "BSD-3-Clause",
	"github.com/golang-jwt/jwt":               "MIT",
	"github.com/zalando/go-keyring":           "MIT",
	"fyne.io/systray":                         "Apache-2.0",
	"github.com/hashicorp/golang-lru":         "MPL-2.0",
	"github.com/HdrHistogram/hdrhistogram-go": "MIT",
	"github.com/gofrs/flock":                  "BSD-3-Clause",
	"github.com/dlclark/regexp2":              "MIT",
	"github.com/google/":                      "BSD-3-Clause",
	"github.com/dustin/go-humanize":           "MIT",
	"github.com/mattn/":                       "MIT",
	"github.com/ncruces/":                     "MIT",
	"github.com/remyoudompheng/bigfft":        "BSD-3-Clause",
	"github.com/godbus/dbus":                  "BSD-2-Clause",
	"github.com/danieljoos/wincred":           "MIT",
	"github.com/beorn7/perks":                 "MIT",
	"github.com/cespare/xxhash":               "MIT",
	"github.com/modern-go/":                   "Apache-2.0",
	"github.com/munnerz/goautoneg":            "BSD-3-Clause",
	"github.com/inconshreveable/mousetrap":    "Apache-2.0",
	"github.com/andybalholm/brotli":           "MIT",
	"github.com/go-faster/":                   "MIT",
	"github.com/paulmach/orb":                 "MIT",
	"github.com/pierrec/lz4":                  "BSD-3-Clause",
	"github.com/segmentio/asm":                "MIT-0",
	"github.com/shopspring/decimal":           "MIT",
	"go.opentelemetry.io/":                    "Apache-2.0",
	"go.yaml.in/":                             "MIT AND Apache-2.0",
}

// others is what is built in beside Go modules: what the admin page bundles and
// data of others. Its npm parts are compared with the bundle by the installers'
// tests, and its "file" names the file with the licence's words.
//
//go:embed others.json
var others []byte

// licences lists what is built in, from the record that the linker leaves and the
// list of other parts.
func licences() []wire.Licence {
	out := []wire.Licence{}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return out
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		out = append(out, wire.Licence{Package: m.Path, Version: m.Version, Licence: licenceOf(m.Path)})
	}
	var more []wire.Licence
	if err := json.Unmarshal(others, &more); err == nil { // a constant, read by a test
		out = append(out, more...)
	}
	slices.SortFunc(out, func(x, y wire.Licence) int { return cmp.Compare(x.Package, y.Package) })
	return out
}

// licenceOf goes by the longest known beginning; "" is not known here.
func licenceOf(module string) string {
	best, name := 0, ""
	for begin, l := range knownLicences {
		if strings.HasPrefix(module, begin) && len(begin) > best {
			best, name = len(begin), l
		}
	}
	return name
}
