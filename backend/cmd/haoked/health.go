package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"haoke/backend"
)

// healthCommand asks a running appliance whether it is ready: a container image
// without a shell has nothing else to ask with.
func healthCommand() *cobra.Command {
	var data, url string
	c := &cobra.Command{
		Use:   "health",
		Short: "Ask the running appliance whether it serves visitors",
		Long: `Exits 0 when the appliance that serves the data folder (or the one at --url) is
ready, 1 with the reason when it is not.`,
		Example: "  haoked health\n  haoked health --url http://127.0.0.1:8787",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if url == "" {
				running, err := backend.ReadRuntime(data)
				if err != nil {
					return err
				}
				url = running.Public
			}
			return askReady(c.Context(), url)
		},
	}
	c.Flags().StringVar(&data, "data", dataDefault(), "data folder")
	c.Flags().StringVar(&url, "url", "", "address of the visitors' listener; default: what runs in the data folder")
	return c
}

func askReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", http.NoBody)
	if err != nil {
		return usageError{fmt.Errorf("--url: %w", err)}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("the appliance does not answer: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return errors.New("not ready: " + string(text))
	}
	return nil
}
