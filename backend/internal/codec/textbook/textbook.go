// Package textbook is json-iterator as its manual shows it, for comparisons in
// benchmarks. It is never part of the appliance.
package textbook

import jsoniter "github.com/json-iterator/go"

// Unmarshal decodes data into v with the configuration that the manual calls
// the fastest one to stay compatible.
func Unmarshal(data []byte, v any) error {
	return jsoniter.ConfigCompatibleWithStandardLibrary.Unmarshal(data, v)
}
