package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

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

// passphrase reads the first line of a file, or of standard input for "-": a
// passphrase on the command line could be read by everybody on the machine. No
// file is no passphrase.
func passphrase(in io.Reader, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("--passphrase-file: %w", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxPassphrase))
	if err != nil {
		return "", fmt.Errorf("--passphrase-file: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		return "", usageError{fmt.Errorf("--passphrase-file: the first line of %s is empty", file)}
	}
	return line, nil
}

// maxPassphrase bounds what is read of a passphrase's file, in bytes.
const maxPassphrase = 4096

func backupCommand() *cobra.Command {
	var where place
	var out, verify, secretFile string
	c := &cobra.Command{
		Use:   "backup",
		Short: "Write everything into one file, also while the appliance runs",
		Long: `Writes a consistent copy of the database into one compressed file and reads it
back. With a passphrase the file is sealed and the stored API keys go with it;
without one they stay behind: on another machine they are typed anew.

The passphrase is the first line of a file, or of standard input for "-"; it is
never given on the command line. Whoever loses it loses the backup.

With --verify an existing backup is opened and checked. Backups on a schedule are
made by the appliance itself: the settings under [backup].`,
		Example: "  haoked backup --out haoke-2026-01-31.backup\n  haoked backup --out /mnt/nas/haoke.backup --passphrase-file /root/haoke.pass\n  pass show haoke | haoked backup --out haoke.backup --passphrase-file -\n  haoked backup --verify haoke.backup --passphrase-file /root/haoke.pass",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if (out == "") == (verify == "") {
				return usageError{fmt.Errorf("name the file to write with --out, or the one to check with --verify")}
			}
			pass, err := passphrase(c.InOrStdin(), secretFile)
			if err != nil {
				return err
			}
			if verify != "" {
				version, at, err := backend.VerifyBackup(c.Context(), verify, pass)
				if err != nil {
					return sealedHint(err, pass)
				}
				fmt.Fprintf(c.OutOrStdout(), "%s is sound: made by version %s on %s\n", verify, version, at.Local().Format("2006-01-02 15:04"))
				return nil
			}
			n, err := backend.BackupSealed(c.Context(), where.data, out, pass)
			if err != nil {
				return err
			}
			sealed := ""
			if pass != "" {
				sealed = ", sealed"
			}
			fmt.Fprintf(c.OutOrStdout(), "wrote %s (%d bytes%s), read back and checked\n", out, n, sealed)
			return nil
		},
	}
	where.flags(c)
	c.Flags().StringVar(&out, "out", "", "file to write; it must not exist")
	c.Flags().StringVar(&verify, "verify", "", "backup to check instead of writing one")
	c.Flags().StringVar(&secretFile, "passphrase-file", "", "file whose first line is the passphrase; - for standard input")
	return c
}

// sealedHint says how a passphrase is given.
func sealedHint(err error, given string) error {
	if errors.Is(err, backend.ErrPassphrase) && given == "" {
		return fmt.Errorf("%w: it is sealed; give the passphrase with --passphrase-file", err)
	}
	return err
}

func restoreCommand() *cobra.Command {
	var where place
	var secretFile string
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the data; the old data is kept aside",
		Long: `Checks the file, keeps the present database aside under a name with the time,
and puts the backup in its place. The appliance must not be running. A sealed
file needs its passphrase: the first line of a file, or of standard input for "-".`,
		Example: "  haoked restore haoke-2026-01-31.backup --data /srv/haoke\n  haoked restore haoke.backup --passphrase-file /root/haoke.pass",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("name one backup file; see %s --help", c.CommandPath())}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			pass, err := passphrase(c.InOrStdin(), secretFile)
			if err != nil {
				return err
			}
			kept, err := backend.RestoreSealed(c.Context(), where.data, args[0], pass)
			if err != nil {
				return sealedHint(err, pass)
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
	c.Flags().StringVar(&secretFile, "passphrase-file", "", "file whose first line is the passphrase; - for standard input")
	return c
}
