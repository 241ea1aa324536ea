package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"haoke/backend"
	"haoke/backend/internal/loadtest"
	"haoke/backend/internal/wsconn/baseline"
)

func benchCommand() *cobra.Command {
	var cfg loadtest.Config
	var asJSON, short bool
	var html string
	var only []string
	var soak time.Duration
	c := &cobra.Command{
		Use:   "bench",
		Short: "Load test: how many visitors can this machine serve?",
		Long: `Starts a server and the simulator as processes of their own (or takes --url of a
running one), opens --visitors WebSockets, sends --rate messages a second for
--duration at times fixed beforehand, and checks every answer: each ack, each
piece, each durable text, order, no loss, no duplicate.

--short runs the short form of every benchmark, baselines included, and prints
one table with targets beside results. --only picks parts of it:
  ` + strings.Join(loadtest.Sections(), ", ") + `
(collector runs only when it is picked: it compares settings of the garbage
collector.)

--soak keeps --visitors connected for a long time while --rate of them a second
leave and are followed by others, and looks for a rising line.`,
		Example: `  haoked bench
  haoked bench --visitors 5000 --rate 200 --duration 1m --html report.html
  haoked bench --url http://127.0.0.1:8787 --visitors 100 --rate 5
  haoked bench --short --html report.html          # how many at most, with plots
  haoked bench --short --only connections,turns
  haoked bench --only recall,compression --corpus talks.jsonl --clickhouse clickhouse://localhost:9000/default
  haoked bench --soak 1h --visitors 2000 --rate 10`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			exe, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			part := func(name string) []string { return []string{"bench", "part", name} }
			cfg.Program = loadtest.Program{Exe: exe, Server: part("server"), Sim: []string{"sim"}, Textbook: part("textbook"), Relay: part("relay")}
			cfg.Version = "Haoke " + backend.Version + " (" + backend.Commit + ")"
			cfg.Command = "haoked " + strings.Join(os.Args[1:], " ")
			begun := time.Now()
			cfg.Log = func(format string, args ...any) {
				fmt.Fprintf(c.ErrOrStderr(), "%6.1fs  "+format+"\n", append([]any{time.Since(begun).Seconds()}, args...)...)
			}
			if short || len(only) > 0 {
				for _, name := range only {
					if !loadtest.IsSection(name) {
						return usageError{fmt.Errorf("--only: %q is not one of %s", name, strings.Join(loadtest.Sections(), ", "))}
					}
				}
				rep, err := loadtest.Short(c.Context(), cfg, only)
				if err != nil {
					return err
				}
				return write(c, rep, asJSON, html)
			}
			if soak > 0 {
				rep, err := loadtest.Soak(c.Context(), cfg, soak)
				if err != nil {
					return err
				}
				return write(c, rep, asJSON, html)
			}
			rep, err := loadtest.Run(c.Context(), cfg)
			if err != nil {
				return err
			}
			if err := write(c, rep, asJSON, html); err != nil {
				return err
			}
			if n := rep.Load.Errors(); n > 0 {
				return fmt.Errorf("%d errors: see the table", n)
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&cfg.URL, "url", "", "public address of a running server; default: start one with a simulator")
	f.StringVar(&cfg.Admin, "admin", "", "admin address of that server, to read its metrics")
	f.StringVar(&cfg.Token, "token", "", "its admin.token")
	f.IntVar(&cfg.Visitors, "visitors", 1000, "WebSockets to open")
	f.Float64Var(&cfg.Rate, "rate", 100, "messages a second")
	f.DurationVar(&cfg.Duration, "duration", 30*time.Second, "how long messages are sent")
	f.DurationVar(&cfg.Warmup, "warmup", 3*time.Second, "load before the measurement")
	f.DurationVar(&cfg.Latency, "latency", 500*time.Millisecond, "simulated time to the first token")
	f.DurationVar(&cfg.Pace, "pace", 25*time.Millisecond, "simulated time between tokens")
	f.IntVar(&cfg.Tokens, "tokens", 20, "simulated length of answers")
	f.BoolVar(&cfg.Pin, "pin", false, "give the server one half of the processors and the load the other")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.StringVar(&html, "html", "", "write a report for a browser to this file")
	f.BoolVar(&short, "short", false, "run the short form of every benchmark")
	f.IntVar(&cfg.Stored, "stored", 100_000, "conversations in the full store of the short form")
	f.StringSliceVar(&only, "only", nil, "run these parts of the short form")
	f.StringVar(&cfg.Corpus, "corpus", "", "conversations (JSON Lines) that recall and compression are measured on too")
	f.StringVar(&cfg.ClickHouse, "clickhouse", "", "ClickHouse on which compression is measured too")
	f.DurationVar(&soak, "soak", 0, "run this long with visitors who come and go")
	f.StringVar(&cfg.Profile, "pprof", "", "folder for profiles of the server")
	f.MarkHidden("pprof")
	c.AddCommand(benchPart())
	return c
}

// report is what both forms of the load test come to.
type report interface {
	Table(io.Writer) error
	JSON(io.Writer) error
	HTML(io.Writer) error
}

func write(c *cobra.Command, r report, asJSON bool, html string) error {
	if html != "" {
		f, err := os.Create(html)
		if err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		if err := r.HTML(f); err != nil {
			f.Close()
			return err
		}
		if err := f.Close(); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	if asJSON {
		return r.JSON(c.OutOrStdout())
	}
	return r.Table(c.OutOrStdout())
}

// benchPart are the processes that the load test starts: the server with an
// ear for the load test's questions, and the baselines.
func benchPart() *cobra.Command {
	c := &cobra.Command{Use: "part", Short: "A process of the load test", Hidden: true}
	serve := serveCommand()
	serve.Use = "server"
	inner := serve.RunE
	serve.RunE = func(c *cobra.Command, args []string) error {
		vitals, err := listenVitals(c.Context())
		if err != nil {
			return err
		}
		c.SetOut(&readyWriter{w: c.OutOrStdout(), more: " vitals=" + vitals})
		return inner(c, args)
	}
	var upstream string
	textbook := &cobra.Command{Use: "textbook", Args: noArgs, RunE: func(c *cobra.Command, _ []string) error {
		vitals, err := listenVitals(c.Context())
		if err != nil {
			return err
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("textbook: %w", err)
		}
		fmt.Fprintf(c.OutOrStdout(), "ready public=http://%s vitals=%s\n", ln.Addr(), vitals)
		return (&baseline.Server{Upstream: upstream, Model: "gpt-4o-mini"}).Serve(c.Context(), ln)
	}}
	relay := &cobra.Command{Use: "relay", Args: noArgs, RunE: func(c *cobra.Command, _ []string) error {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("relay: %w", err)
		}
		fmt.Fprintf(c.OutOrStdout(), "ready url=http://%s/v1\n", ln.Addr())
		return (&loadtest.Relay{Upstream: upstream}).Serve(c.Context(), ln)
	}}
	for _, x := range []*cobra.Command{textbook, relay} {
		x.Flags().StringVar(&upstream, "upstream", "", "base URL of the upstream")
	}
	c.AddCommand(serve, textbook, relay)
	return c
}

func listenVitals(ctx context.Context) (url string, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("vitals: %w", err)
	}
	go loadtest.ServeVitals(ctx, ln)
	return "http://" + ln.Addr().String(), nil
}

// readyWriter adds to the end of the ready line.
type readyWriter struct {
	w    io.Writer
	more string
}

// Write implements io.Writer for one line at a time.
func (r *readyWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(r.w, strings.TrimRight(string(p), "\n")+r.more+"\n"); err != nil {
		return 0, err
	}
	return len(p), nil
}
