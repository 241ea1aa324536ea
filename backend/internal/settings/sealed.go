package settings

import (
	"encoding/base64"
	"encoding/json"
)

// SealedPlace is the place that a secret setting is sealed for.
func SealedPlace(path string) []byte { return []byte("settings/" + path) }

// SealedBytes takes the sealed bytes out of a stored row's value; false when
// the value is not a sealed one.
func SealedBytes(value []byte) ([]byte, bool) {
	var sv sealedValue
	if json.Unmarshal(value, &sv) != nil || sv.Sealed == "" {
		return nil, false
	}
	box, err := base64.StdEncoding.DecodeString(sv.Sealed)
	return box, err == nil
}

// SealedValue is the stored form of sealed bytes. Whoever moves a database to
// another machine seals its secrets anew and stores them so.
func SealedValue(box []byte) ([]byte, error) {
	return json.Marshal(sealedValue{base64.StdEncoding.EncodeToString(box)})
}
