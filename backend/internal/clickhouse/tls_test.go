package clickhouse_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"haoke/backend/internal/clickhouse"
	"haoke/backend/internal/testkit/clickhousetest"
)

// Over TLS: a server whose authority is not known here is refused in plain
// words, and with the authority's certificate everything works.
func TestTLS(t *testing.T) {
	r := setUpWith(t, clickhousetest.Options{TLS: true})
	secure := "clickhouse://" + r.srv.Secure + "/haoke?secure=true"
	rows := sealed(3, 4)

	stranger := r.server(clickhouse.Config{DSN: secure})
	var f *clickhouse.Fault
	if err := stranger.Ship(r.ctx, "b", false, rows); !errors.As(err, &f) || f.Kind != "tls" || !strings.Contains(f.Text, "not trusted") || !strings.Contains(f.Hint, "ca=") {
		t.Fatalf("an unknown authority: %v", err)
	}
	if rep := stranger.Check(r.ctx); rep.OK || rep.Steps[len(rep.Steps)-1].Name != "connect" || !strings.Contains(rep.Text, "not trusted") {
		t.Errorf("%+v", rep)
	}
	other := "clickhouse://localhost:" + r.srv.Secure[strings.LastIndex(r.srv.Secure, ":")+1:] + "/haoke?secure=true&ca=" + r.srv.CA
	if err := r.server(clickhouse.Config{DSN: other}).Ship(r.ctx, "b", false, rows); !errors.As(err, &f) || f.Kind != "tls" || !strings.Contains(f.Hint, "name that the certificate is for") {
		t.Errorf("a certificate for another name: %v", err)
	}
	if err := r.server(clickhouse.Config{DSN: "clickhouse://" + r.srv.Secure + "/haoke?secure=false"}).Ship(r.ctx, "b", false, rows); !errors.As(err, &f) || f.Kind != "tls" && f.Kind != "cut" {
		t.Errorf("without TLS on its port: %v", err)
	}

	known := r.server(clickhouse.Config{DSN: "clickhouse://" + r.srv.Secure + "/haoke?ca=" + r.srv.CA})
	if rep := known.Check(r.ctx); !rep.OK || !strings.Contains(rep.Steps[0].Detail, "TLS") {
		t.Errorf("%+v", rep)
	}
	if err := known.Ship(r.ctx, "b", false, rows); err != nil {
		t.Fatal(err)
	}
	if got, err := known.Fetch(r.ctx, rows[1].Blob.ID, rows[1].Blob.Version); err != nil || !bytes.Equal(got.Data, rows[1].Blob.Data) {
		t.Errorf("%+v %v", got, err)
	}
	deleteAll(t, known, rows[1].Blob.ID)

	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, filepath.Join(t.TempDir(), "none.pem")} {
		if _, err := clickhouse.New(clickhouse.Config{DSN: secure + "&ca=" + file}); !errors.As(err, &f) || f.Kind != "tls" {
			t.Errorf("%s: %v", file, err)
		}
	}
}
