package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"haoke/backend"
)

// successor ends this process for the program at exe; "": for none, because an
// installer is at work.
type successor struct{ exe string }

// Error implements error: it travels the way of errors to where the process ends.
func (s successor) Error() string { return "an update is in place: " + s.exe }

// replace starts what takes this process's place, when err says that something
// does. Otherwise, or when that fails, it returns the error.
func replace(err error, args []string, errOut io.Writer) error {
	var next successor
	var back *backend.RolledBackError
	switch {
	case errors.As(err, &next) && next.exe == "":
		return nil
	case errors.As(err, &next):
		return backend.Replace(next.exe, args)
	case errors.As(err, &back):
		fmt.Fprintln(errOut, "haoked:", err)
		return backend.Replace(back.Exe, args)
	}
	return err
}

// updateCommand asks the running appliance about updates, for machines without
// a window.
func updateCommand() *cobra.Command {
	var data string
	var apply, asJSON bool
	c := &cobra.Command{
		Use:   "update",
		Short: "Look for a newer version, and install it with --apply",
		Long: `Asks the appliance that runs on the data folder to look for a newer version.

With --apply it installs it where that is possible: the download is proven by
the makers' signature, a backup is made, the new version is started on a copy of
the data, and only then put in place. If it does not start, the present version
stays or comes back. Packages (deb, rpm) and containers are updated by what
installed them; the command is printed.`,
		Example: "  haoked update\n  haoked update --apply --data /srv/haoke",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := backend.ReadRuntime(data); err != nil {
				return fmt.Errorf("%w; the running appliance installs updates: start it first", err)
			}
			desk := backend.NewDesk(backend.Attach(data))
			s, err := desk.CheckUpdates(c.Context())
			if err != nil {
				return err
			}
			if asJSON && !apply {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(s)
			}
			sayUpdate(c.OutOrStdout(), s, apply)
			switch {
			case s.Fault != "":
				return errors.New(s.Fault)
			case !apply || s.Latest == "":
				return nil
			}
			return followUpdate(c.Context(), c.OutOrStdout(), desk)
		},
	}
	c.Flags().StringVar(&data, "data", dataDefault(), "data folder")
	c.Flags().BoolVar(&apply, "apply", false, "install the newer version")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func sayUpdate(w io.Writer, s backend.UpdateState, apply bool) {
	if l := s.Last; l != nil && !l.OK {
		fmt.Fprintf(w, "version %s did not start, version %s is back: %s\n", l.To, s.Current, l.Fault)
	}
	if s.Latest == "" {
		fmt.Fprintf(w, "version %s, no newer one is known\n", s.Current)
		return
	}
	fmt.Fprintf(w, "version %s; version %s is there\n", s.Current, s.Latest)
	if s.Notes != "" {
		fmt.Fprintln(w, s.Notes)
	}
	switch {
	case s.CanApply && !apply:
		fmt.Fprintln(w, "install it: haoked update --apply")
	case s.Command != "":
		if s.File != "" {
			fmt.Fprintln(w, "fetch it:", s.File)
		}
		fmt.Fprintln(w, "install it:", s.Command)
	case !s.CanApply && s.URL != "":
		fmt.Fprintln(w, "get it:", s.URL)
	}
}

// followUpdate begins the update and says how far it is until the new version
// serves, or the present one goes on.
func followUpdate(ctx context.Context, w io.Writer, desk *backend.Desk) error {
	s, err := desk.ApplyUpdate(ctx)
	if err != nil {
		return err
	}
	from, to, stage := s.Current, s.Latest, ""
	began := time.Now()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		s, err := desk.Updates(ctx)
		if runtime.GOOS == "windows" && (errors.Is(err, backend.ErrGone) || s.Stage == "restarting") {
			// This very program is in the installer's way.
			fmt.Fprintln(w, "the installer replaces the programs now; haoked update says how it went")
			return nil
		}
		switch {
		case errors.Is(err, backend.ErrGone):
			if time.Since(began) > 20*time.Minute {
				return errors.New("the appliance has not come back; see its log")
			}
			continue // between two versions
		case err != nil:
			return err
		case s.Current == to:
			fmt.Fprintf(w, "version %s serves\n", to)
			return nil
		case s.Stage != "" && s.Stage != stage:
			stage = s.Stage
			fmt.Fprintln(w, stage)
		case s.Stage == "" && s.ApplyFault != "":
			return errors.New(s.ApplyFault)
		case s.Stage == "" && s.Last != nil && !s.Last.OK && s.Last.To == to && s.Last.At.After(began):
			return fmt.Errorf("version %s did not start, version %s is back: %s", to, from, s.Last.Fault)
		}
	}
}

// planCommand carries an installer's update out; the program starts it itself.
func planCommand() *cobra.Command {
	return &cobra.Command{
		Use: "update-run PLAN", Short: "Carry out an update by the installer", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return backend.RunUpdate(c.Context(), args[0]) },
	}
}

// watchCommand stands by while a new version starts for the first time; the
// version from before starts it itself.
func watchCommand() *cobra.Command {
	return &cobra.Command{
		Use: "update-watch DATA", Short: "Stand by while a new version starts", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return backend.WatchUpdate(c.Context(), args[0]) },
	}
}

// raisedCommand is what an administrator's rights are asked for on Windows.
func raisedCommand() *cobra.Command {
	return &cobra.Command{
		Use: "update-raised ORDER FOLDER ID", Short: "Install an update for everybody", Hidden: true, Args: cobra.ExactArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			return backend.RunRaisedUpdate(c.Context(), args[0], args[1], args[2])
		},
	}
}
