//go:build !windows

package main

import (
	"context"

	"github.com/spf13/cobra"
)

// serviceCommands are for systems whose services are registered by the program
// itself; here the packages' units do that.
func serviceCommands() []*cobra.Command { return nil }

// underManager runs serve as it is: no manager of this system needs more.
func underManager(ctx context.Context, serve func(context.Context) error) error { return serve(ctx) }
