package filter

import "fmt"

// Decode turns the bytes of a text file into UTF-8 and names the encoding that
// it recognised: those of LoadWords. The caller bounds raw.
func Decode(raw []byte) (text, encoding string, err error) {
	text, encoding, err = decodeText(raw)
	if err != nil {
		return "", "", fmt.Errorf("recognise the encoding: %w", err)
	}
	return text, encoding, nil
}
