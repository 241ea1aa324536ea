//go:build !windows

package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"
)

// serviceCommands are for systems whose services are registered by the program
// itself; here the packages' units do that.
func serviceCommands() []*cobra.Command { return nil }

// run runs serve as it is: no manager of this system needs more.
func (m manager) run(ctx context.Context, serve func(context.Context, io.Writer) error) error {
	return serve(ctx, m.log)
}
