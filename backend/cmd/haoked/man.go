package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"haoke/backend"
)

// manCommand writes the manual page, for packagers; cobra's own completion
// command stands beside it.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man", Short: "Print the manual page in roff", Hidden: true, Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return writeMan(c.OutOrStdout(), c.Root()) },
	}
}

// writeMan writes one page for the program and all its visible subcommands.
func writeMan(w io.Writer, root *cobra.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH HAOKED 1 \"\" \"Haoke %s\" \"Haoke\"\n", backend.Version)
	fmt.Fprintf(&b, ".SH NAME\nhaoked \\- %s\n.SH SYNOPSIS\n.B haoked\n[\\fIcommand\\fR] [\\fIflags\\fR]\n", roff(root.Short))
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n", roff(root.Long))
	b.WriteString(".SH COMMANDS\n")
	for _, c := range root.Commands() {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		about := c.Long
		if about == "" {
			about = c.Short
		}
		fmt.Fprintf(&b, ".SS haoked %s\n%s\n", roff(c.Use), roff(about))
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Hidden || f.Name == "help" {
				return
			}
			kind, usage := pflag.UnquoteUsage(f)
			fmt.Fprintf(&b, ".TP\n\\fB\\-\\-%s\\fR \\fI%s\\fR\n%s\n", roff(f.Name), roff(kind), roff(usage))
		})
		if c.Example != "" {
			fmt.Fprintf(&b, ".PP\nExamples:\n.PP\n.nf\n.RS\n%s\n.RE\n.fi\n", roff(c.Example))
		}
	}
	b.WriteString(".SH \"EXIT STATUS\"\n0: done. 1: failed at run time. 2: wrong usage or configuration.\n")
	b.WriteString(".SH FILES\n.TP\n/etc/haoke/config.toml\nsettings that win over the admin page (packages)\n.TP\n/var/lib/haoke\nthe data folder (packages)\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// roff protects a text from being read as instructions.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
		if l == "" {
			lines[i] = ".PP"
		}
	}
	return strings.Join(lines, "\n")
}
