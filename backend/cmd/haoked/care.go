package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"haoke/backend"
)

func doctorCommand() *cobra.Command {
	var where place
	var asJSON bool
	c := &cobra.Command{
		Use:     "doctor",
		Short:   "Check configuration, data folder, database, ports and upstream",
		Long:    "Checks what can go wrong and says what to do about it. Exit code 1 when something is broken.",
		Example: "  haoked doctor\n  haoked doctor --json --data /srv/haoke",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			report := backend.Doctor(c.Context(), backend.Config{DataDir: where.data, ConfigFile: where.config})
			if asJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				if err := e.Encode(report); err != nil {
					return fmt.Errorf("write report: %w", err)
				}
			} else {
				for _, x := range report.Checks {
					fmt.Fprintf(c.OutOrStdout(), "%-5s %-12s %s\n", x.State, x.Name, x.Text)
				}
			}
			if !report.OK {
				return fmt.Errorf("something is broken: see above")
			}
			return nil
		},
	}
	where.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func backupCommand() *cobra.Command {
	var where place
	var out string
	c := &cobra.Command{
		Use:   "backup",
		Short: "Write everything into one file, also while the appliance runs",
		Long: `Writes a consistent copy of the database into one compressed file. The key that
opens stored secrets stays behind: on another machine API keys are typed anew.`,
		Example: "  haoked backup --out haoke-2026-01-31.backup",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if out == "" {
				return usageError{fmt.Errorf("--out is missing: name the file to write")}
			}
			n, err := backend.Backup(c.Context(), where.data, out)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "wrote %s (%d bytes), read back and checked\n", out, n)
			return nil
		},
	}
	where.flags(c)
	c.Flags().StringVar(&out, "out", "", "file to write; it must not exist")
	return c
}

func restoreCommand() *cobra.Command {
	var where place
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the data; the old data is kept aside",
		Long: `Checks the file, keeps the present database aside under a name with the time,
and puts the backup in its place. The appliance must not be running.`,
		Example: "  haoked restore haoke-2026-01-31.backup --data /srv/haoke",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("name one backup file; see %s --help", c.CommandPath())}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			kept, err := backend.Restore(c.Context(), where.data, args[0])
			if err != nil {
				return err
			}
			if kept != "" {
				fmt.Fprintf(c.OutOrStdout(), "restored; the data from before is kept in %s\n", kept)
				return nil
			}
			fmt.Fprintln(c.OutOrStdout(), "restored")
			return nil
		},
	}
	where.flags(c)
	return c
}
