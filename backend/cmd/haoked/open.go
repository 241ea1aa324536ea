package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"haoke/backend"
)

// openCommand shows the admin page to the person at this machine.
func openCommand() *cobra.Command {
	var data string
	var wait time.Duration
	var only bool
	c := &cobra.Command{
		Use:   "open",
		Short: "Open the admin page in the browser, signed in",
		Long: `Asks the appliance that runs on the data folder for a link that signs in once,
and opens it in this machine's browser. Whoever may read the data folder may do
that. The link is printed as well, for browsers that do not open.`,
		Example: "  haoked open\n  haoked open --print --data /srv/haoke",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			link, err := adminLink(c.Context(), data, wait)
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), link)
			if only {
				return nil
			}
			return browse(c.Context(), link, c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&data, "data", dataDefault(), "data folder")
	c.Flags().DurationVar(&wait, "wait", 0, "how long to wait for an appliance that is starting")
	c.Flags().BoolVar(&only, "print", false, "print the link, open nothing")
	return c
}

// adminLink asks for the link, again and again for as long as wait says.
func adminLink(ctx context.Context, data string, wait time.Duration) (string, error) {
	late := time.NewTimer(wait)
	defer late.Stop()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := backend.ReadRuntime(data)
		if err == nil {
			var link string
			if link, err = backend.NewDesk(backend.Attach(data)).BrowserLink(ctx); err == nil {
				return link, nil
			}
		}
		if wait == 0 {
			return "", fmt.Errorf("open the admin page: %w", err)
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-late.C:
			return "", fmt.Errorf("open the admin page: %w", err)
		case <-tick.C:
		}
	}
}

// browse shows an address in this system's browser. A machine without one is
// told where to go: that is no failure.
func browse(ctx context.Context, link string, errOut io.Writer) error {
	words := map[string][]string{
		"windows": {"rundll32", "url.dll,FileProtocolHandler"},
		"darwin":  {"open"},
	}[runtime.GOOS]
	if words == nil {
		words = []string{"xdg-open"}
	}
	if err := exec.CommandContext(ctx, words[0], append(words[1:], link)...).Run(); err != nil {
		fmt.Fprintln(errOut, "haoked: no browser opened here; go to the address above on this machine")
	}
	return nil
}
