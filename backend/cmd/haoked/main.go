// Command haoked is the appliance without a window: the server for services,
// containers and machines without a display, with its load test, the simulator
// of an OpenAI-compatible API, and the tools of an owner in trouble.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"haoke/backend"
)

// Exit codes of the contract.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// usageError is wrong use of the command line.
type usageError struct{ error }

// run is main without the process around it.
func run(args []string, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	err := replace(root.ExecuteContext(ctx), args, errOut)
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(errOut, "haoked:", err)
	var config *backend.ConfigError
	var usage usageError
	if errors.As(err, &config) || errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

func rootCommand() *cobra.Command {
	serve := serveCommand()
	root := &cobra.Command{
		Use:   "haoked",
		Short: "Haoke, the AI customer-service appliance, without a window",
		Long: `Haoke (好客) answers the visitors of a shop's web site: a chat widget, any
OpenAI-compatible API behind it, filters, limits and an archive, in one program.

Without a subcommand it serves, as "haoked serve" does.`,
		Example:       "  haoked --data /srv/haoke\n  haoked serve --public 0.0.0.0:8787",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          serve.RunE,
	}
	root.Flags().AddFlagSet(serve.Flags())
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	})
	root.AddCommand(serve, simCommand(), doctorCommand(), backupCommand(), restoreCommand(), benchCommand(), healthCommand(), openCommand(), updateCommand(), planCommand(), watchCommand(), raisedCommand(), manCommand(), versionCommand())
	root.AddCommand(serviceCommands()...)
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

// noArgs refuses words that no subcommand knows.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError{fmt.Errorf("%q is not a subcommand; see %s --help", args[0], c.CommandPath())}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print version and commit", Example: "  haoked version", Args: noArgs,
		Run: func(c *cobra.Command, _ []string) {
			fmt.Fprintf(c.OutOrStdout(), "haoked %s (%s)\n", backend.Version, backend.Commit)
		},
	}
}
