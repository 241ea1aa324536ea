package logs

import (
	"log/slog"
	"strconv"
	"strings"
)

const stamp = "2006-01-02T15:04:05.000Z07:00"

// appendText writes "time LEVEL message key=value ..." and a line end.
func appendText(dst []byte, l *Line) []byte {
	dst = l.At.UTC().AppendFormat(dst, stamp)
	dst = append(dst, ' ')
	name := l.Level.String()
	dst = append(dst, name...)
	for range max(0, 5-len(name)) {
		dst = append(dst, ' ')
	}
	dst = append(dst, ' ')
	dst = append(dst, l.Text...)
	for _, a := range l.Attrs {
		dst = append(dst, ' ')
		dst = append(dst, strings.Map(bareKey, a[0])...)
		dst = append(dst, '=')
		if a[1] == "" || strings.ContainsAny(a[1], " \"=\\") {
			dst = append(dst, '"')
			dst = append(dst, strings.NewReplacer(`"`, `\"`).Replace(a[1])...)
			dst = append(dst, '"')
		} else {
			dst = append(dst, a[1]...)
		}
	}
	return append(dst, '\n')
}

func bareKey(c rune) rune {
	switch c {
	case ' ', '=', '"':
		return '_'
	}
	return c
}

// appendJSON writes one JSON object and a line end.
func appendJSON(dst []byte, l *Line) []byte {
	dst = append(dst, `{"time":"`...)
	dst = l.At.UTC().AppendFormat(dst, stamp)
	dst = append(dst, `","level":`...)
	dst = appendString(dst, l.Level.String())
	dst = append(dst, `,"msg":`...)
	dst = appendString(dst, l.Text)
	for _, a := range l.Attrs {
		dst = append(dst, ',')
		dst = appendString(dst, a[0])
		dst = append(dst, ':')
		dst = appendString(dst, a[1])
	}
	return append(dst, '}', '\n')
}

// appendString writes a JSON string. Lines have no control characters left, so
// only quotes and backslashes need care; strconv's other escapes are no JSON.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// ParseLevel reads debug, info, warn or error; others give Info and false.
func ParseLevel(s string) (slog.Level, bool) {
	switch strings.ToLower(s) {
	case "debug":
		return slog.LevelDebug, true
	case "info":
		return slog.LevelInfo, true
	case "warn", "warning":
		return slog.LevelWarn, true
	case "error":
		return slog.LevelError, true
	}
	if n, err := strconv.Atoi(s); err == nil {
		return slog.Level(n), true
	}
	return slog.LevelInfo, false
}
