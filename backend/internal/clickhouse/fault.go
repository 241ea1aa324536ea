package clickhouse

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// Fault says in plain words why the server cannot be used and what to do.
type Fault struct {
	// Kind is address, dns, refused, unreachable, timeout, tls, port, login,
	// database, rights, foreign, space, load, cut or server.
	Kind string
	Text string // one sentence
	Hint string // what to do
	Err  error  // cause, may be nil
}

// Error implements error.
func (f *Fault) Error() string {
	if f.Err == nil || f.Kind != "server" {
		return f.Text
	}
	return f.Text + " (" + firstLine(f.Err.Error()) + ")"
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Numbers of the server's exceptions, from its ErrorCodes.cpp.
const (
	codeUnknownTable    = 60
	codeUnknownDatabase = 81
	codeReadOnly        = 164
	codeUnknownUser     = 192
	codeWrongPassword   = 193
	codeTooManyQueries  = 202
	codeMemory          = 241
	codeNotEnoughSpace  = 243
	codeTooManyParts    = 252
	codeDatabaseAccess  = 291
	codeNotEnoughRights = 497
	codeAuthFailed      = 516
)

var exceptions = map[int32]Fault{
	codeUnknownDatabase: {Kind: "database", Text: "The database does not exist on the server.", Hint: "Create it there: CREATE DATABASE with the name at the end of the address."},
	codeUnknownUser:     {Kind: "login", Text: "The server does not know this user name.", Hint: "Check the name in the address."},
	codeWrongPassword:   {Kind: "login", Text: "The server refused the password.", Hint: "Check the password in the address; special characters are written %40 for @ and so on."},
	codeAuthFailed:      {Kind: "login", Text: "The server refused name or password.", Hint: "Check both in the address; special characters are written %40 for @ and so on."},
	codeReadOnly:        {Kind: "rights", Text: "The user may only read.", Hint: "Give it a profile with readonly = 0, or the rights CREATE TABLE, INSERT, SELECT and ALTER DELETE on the database."},
	codeDatabaseAccess:  {Kind: "rights", Text: "The user may not use this database.", Hint: "Allow the database for this user (allow_databases, or GRANT)."},
	codeNotEnoughRights: {Kind: "rights", Text: "The user lacks a right.", Hint: "GRANT CREATE TABLE, INSERT, SELECT, ALTER DELETE, DROP TABLE on the database to this user."},
	codeNotEnoughSpace:  {Kind: "space", Text: "The server's disk is full.", Hint: "Make room there; shipping goes on by itself."},
	codeMemory:          {Kind: "load", Text: "The server has too little memory for this at the moment.", Hint: "It is tried again by itself."},
	codeTooManyParts:    {Kind: "load", Text: "The server cannot merge as fast as it is written to.", Hint: "It is tried again by itself."},
	codeTooManyQueries:  {Kind: "load", Text: "The server is busy with other queries.", Hint: "It is tried again by itself."},
}

// codeOf is the number of the server's exception, 0 when err is none.
func codeOf(err error) int32 {
	var ex *ch.Exception
	if errors.As(err, &ex) {
		return ex.Code
	}
	return 0
}

// diagnose turns an error of driver, network or server into a Fault.
func diagnose(err error) *Fault {
	var done *Fault
	if errors.As(err, &done) {
		return done
	}
	if code := codeOf(err); code != 0 {
		if f, ok := exceptions[code]; ok {
			f.Err = err
			return &f
		}
		return &Fault{Kind: "server", Text: "The server refused.", Hint: "See its message.", Err: err}
	}
	f := network(err)
	f.Err = err
	return &f
}

func network(err error) Fault {
	var dns *net.DNSError
	var cert *x509.UnknownAuthorityError
	var host x509.HostnameError
	var timeout interface{ Timeout() bool }
	text := err.Error()
	switch {
	case errors.As(err, &dns):
		return Fault{Kind: "dns", Text: "The host name is not known.", Hint: "Check the spelling, or use the server's IP address."}
	case errors.Is(err, syscall.ECONNREFUSED):
		return Fault{Kind: "refused", Text: "Nothing answers at this host and port.", Hint: "Is ClickHouse running there, does it listen on that address (listen_host), and is the port the native one (9000, or 9440 with TLS)?"}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return Fault{Kind: "unreachable", Text: "The host cannot be reached from here.", Hint: "Check network and firewall."}
	case strings.Contains(text, "unexpected packet [72]"), strings.Contains(text, "malformed HTTP"):
		return Fault{Kind: "port", Text: "This is the server's HTTP port.", Hint: "Use the native port: 9000, or 9440 with ?secure=true."}
	case strings.Contains(text, "unexpected packet [21]"), strings.Contains(text, "unexpected packet [22]"):
		return Fault{Kind: "tls", Text: "The server wants TLS on this port.", Hint: "Add ?secure=true to the address."}
	case strings.Contains(text, "does not look like a TLS handshake"):
		return Fault{Kind: "tls", Text: "The server does not speak TLS on this port.", Hint: "Use its TLS port (9440), or take secure=true out of the address."}
	case errors.As(err, &cert), errors.As(err, &host), strings.Contains(text, "x509:"):
		return Fault{Kind: "tls", Text: "The server's certificate is not trusted here.", Hint: "Install its authority's certificate on this machine or name its file (add &ca=/path/to/ca.pem), or use the name that the certificate is for."}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Fault{Kind: "timeout", Text: "The server did not answer in time.", Hint: "Check host, port and firewall; a busy server is tried again by itself."}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return Fault{Kind: "cut", Text: "The server ended the connection.", Hint: "It may have been stopped, the user may not use this database, or the port belongs to something else; it is tried again by itself."}
	}
	return Fault{Kind: "server", Text: "The server cannot be used.", Hint: "See the message."}
}

// firstLine keeps an exception readable: newer servers add a stack trace.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}
