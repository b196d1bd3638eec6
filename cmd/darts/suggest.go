package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/cells/spelling"
	"godarts/nas/config"
	"godarts/nas/names"
)

// unknownCommand returns the error for a command that root does not have.
func unknownCommand(root *cobra.Command, name string) error {
	var all []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			all = append(all, c.Name())
		}
	}
	nearest := ""
	if near := names.Nearest(name, root.SuggestionsFor(name)); name != "" && near != "" {
		nearest = fmt.Sprintf("nearest: %q; ", near)
	}
	return usagef("unknown command %q (%sthere are: %s)", name, nearest, strings.Join(all, ", "))
}

// flagError returns err, of the flags of c in words, as a mistake of the user.
func flagError(c *cobra.Command, words []string, err error) error {
	prefix := ""
	if c.HasParent() {
		prefix = c.Name() + ": "
	}
	return usagef("%s%w (`%s --help` lists the flags)", prefix, unknownFlag(c, words, err), c.CommandPath())
}

// unknownFlag adds to err what an unknown flag of c may stand for: a key of the config, a flag of another command, or
// a flag of c with a similar name.
func unknownFlag(c *cobra.Command, words []string, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return err
	}
	name, f := unknown.GetSpecifiedName(), c.Flags()
	if keys := config.KeysNamed(name); len(keys) > 0 && f.Lookup("set") != nil {
		const most = 3
		others := ""
		if rest := keys[1:]; len(rest) > 0 {
			others = fmt.Sprintf(" (or %s)", strings.Join(rest[:min(len(rest), most)], ", "))
		}
		return fmt.Errorf("%w: a key of the config is set by --set %s%s", err, names.Shell(keys[0]+"="+valueOf(words, name)), others)
	}
	var with []string
	for _, other := range c.Root().Commands() {
		if flag := other.Flags().Lookup(name); flag != nil && !flag.Hidden {
			with = append(with, "`"+other.CommandPath()+"`")
		}
	}
	if len(with) > 0 {
		return fmt.Errorf("%w: %s has it", err, strings.Join(with, " or "))
	}
	var own []string
	f.VisitAll(func(flag *pflag.Flag) { own = append(own, flag.Name) })
	if near := names.Nearest(name, own); spelling.Distance(name, near) <= 2 {
		return fmt.Errorf("%w: nearest is --%s", err, near)
	}
	return err
}

// valueOf returns the value of a flag in words, "..." if there is none.
func valueOf(words []string, flag string) string {
	for i, word := range words {
		if value, ok := strings.CutPrefix(word, "--"+flag+"="); ok {
			return value
		}
		if word == "--"+flag && i+1 < len(words) && !strings.HasPrefix(words[i+1], "--") {
			return words[i+1]
		}
	}
	return "..."
}
