package main

import (
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"

	"haoke/backend/internal/sim"
)

func simCommand() *cobra.Command {
	var cfg sim.Config
	var addr string
	c := &cobra.Command{
		Use:   "sim",
		Short: "Simulate an OpenAI-compatible API, with limits and faults",
		Long: `Serves /v1/models, /v1/chat/completions (streamed or not) and /v1/moderations
like a paid API, for trying things out without money. Faults come at random
(--fault-rate) or by a marker in the question, for example [[500]], [[429]],
[[cut]], [[garbage]], [[silence]], [[drip]], [[html]], [[endless]].
GET /sim/stats counts what was asked.

When it is ready it prints one line: ready url=http://HOST:PORT/v1`,
		Example: "  haoked sim --addr 127.0.0.1:9999 --latency 400ms --pace 20ms\n  haoked sim --rpm 60 --key sk-test",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ln, err := net.Listen("tcp", addr)
			if err != nil {
				return fmt.Errorf("cannot listen on %s: %w; choose another with --addr", addr, err)
			}
			fmt.Fprintf(c.OutOrStdout(), "ready url=http://%s/v1\n", ln.Addr())
			return sim.New(cfg).Serve(c.Context(), ln)
		},
	}
	f := c.Flags()
	f.StringVar(&addr, "addr", "127.0.0.1:0", "address to listen on; port 0 picks a free one")
	f.StringSliceVar(&cfg.Models, "model", nil, "models that exist (default: any)")
	f.StringSliceVar(&cfg.Keys, "key", nil, "accepted keys (default: any)")
	f.DurationVar(&cfg.Latency, "latency", 200*time.Millisecond, "time to the first token")
	f.DurationVar(&cfg.Jitter, "jitter", 0, "random part of the latency")
	f.DurationVar(&cfg.Pace, "pace", 15*time.Millisecond, "time between tokens")
	f.IntVar(&cfg.Tokens, "tokens", 0, "length of answers in tokens (default: what the sentence needs)")
	f.IntVar(&cfg.RPM, "rpm", 0, "requests a minute and key (default: no limit)")
	f.IntVar(&cfg.TPM, "tpm", 0, "tokens a minute and key (default: no limit)")
	f.Float64Var(&cfg.FaultRate, "fault-rate", 0, "part of the calls that fail, 0 to 1")
	f.StringSliceVar(&cfg.Faults, "fault", nil, "faults to pick from (default: 500, 429, cut, garbage)")
	f.IntVar(&cfg.Times, "times", 0, "answers whose times GET /sim/times tells")
	f.Uint64Var(&cfg.Seed, "seed", 1, "makes jitter and faults repeatable")
	return c
}
