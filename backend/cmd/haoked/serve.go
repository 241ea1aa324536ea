package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"haoke/backend"
)

// place is the part of the command line that says which appliance is meant.
type place struct {
	config, data string
}

func (p *place) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.config, "config", os.Getenv("HAOKE_CONFIG"), "config.toml to read; default: the one in the data folder, if there is one")
	c.Flags().StringVar(&p.data, "data", dataDefault(), "data folder")
}

// manager is what started "haoked serve" and takes its log.
type manager struct {
	asked bool      // --service: the service manager of Windows
	data  string    // data folder
	log   io.Writer // where the log goes without a manager
}

func dataDefault() string {
	if d := os.Getenv("HAOKE_DATA"); d != "" {
		return d
	}
	return backend.DefaultDataDir()
}

func serveCommand() *cobra.Command {
	var where place
	var public, admin string
	var managed, trial bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve visitors and the admin page until SIGTERM or SIGINT",
		Long: `Serves the widget to visitors and the admin page to the owner.

When it is ready it prints one line on standard output:
  ready public=http://HOST:PORT admin=http://HOST:PORT
Logs go to standard error.`,
		Example: "  haoked serve\n  haoked serve --config shop.toml --data /srv/haoke --public 0.0.0.0:8787\n  haoked serve --public 127.0.0.1:0 --admin 127.0.0.1:0   # free ports",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg := backend.Config{DataDir: where.data, ConfigFile: where.config, Args: os.Args[1:]}
			for _, f := range []backend.Flag{
				{Name: "--public", Path: "server.public_addr", Value: public}, {Name: "--admin", Path: "server.admin_addr", Value: admin},
			} {
				if f.Value != "" {
					cfg.Flags = append(cfg.Flags, f)
				}
			}
			if trial {
				cfg.LogOutput = c.ErrOrStderr()
				return backend.Trial(c.Context(), cfg)
			}
			backend.Tune()
			m := manager{asked: managed, data: where.data, log: c.ErrOrStderr()}
			return m.run(c.Context(), func(ctx context.Context, log io.Writer) error {
				var b *backend.Backend
				cfg.LogOutput = log
				cfg.Ready = func(a backend.Addresses) {
					fmt.Fprintf(c.OutOrStdout(), "ready public=%s admin=%s\n", a.Public, a.Admin)
					tellManager(ctx, b.Healthy)
				}
				b, err := backend.New(ctx, cfg)
				if err != nil {
					return err
				}
				if err := b.Run(ctx); err != nil {
					return err
				}
				if exe, ended := b.Successor(); ended {
					return successor{exe}
				}
				return nil
			})
		},
	}
	where.flags(c)
	// Older versions call it when they try this one.
	c.Flags().BoolVar(&trial, "trial", false, "open everything on free ports, serve nobody, leave when ready (an update's trial on a copy of the data)")
	_ = c.Flags().MarkHidden("trial")
	c.Flags().StringVar(&public, "public", "", "address of the visitors' listener (server.public_addr); port 0 picks a free one")
	c.Flags().StringVar(&admin, "admin", "", "address of the admin listener (server.admin_addr)")
	c.Flags().BoolVar(&managed, "service", false, "take the orders of the service manager of Windows")
	_ = c.Flags().MarkHidden("service") // fails only for a flag that does not exist
	return c
}
