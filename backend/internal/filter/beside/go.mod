// The filter beside other people's matchers, in a module of its own so that
// they are no dependencies of the product: see beside_test.go.
module haoke/backend/internal/filter/beside

go 1.26.0

require haoke v0.0.0

replace haoke => ../../../..

require (
	github.com/BobuSumisu/aho-corasick v1.0.3
	github.com/anknown/ahocorasick v0.0.0-20190904063843-d75dbd5169c0
	github.com/cloudflare/ahocorasick v0.0.0-20240916140611-054963ec9396
	github.com/grafana/regexp v0.0.0-20250905101755-5eb4f3acbf71
	github.com/petar-dambovaliev/aho-corasick v0.0.0-20250424160509-463d218d4745
	github.com/wasilibs/go-re2 v1.13.0
)

require (
	github.com/anknown/darts v0.0.0-20151216065714-83ff685239e6 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
