package main

import (
	"errors"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/home"
	"godarts/torch"
)

// spec describes a sub-command.
type spec struct {
	use, short, example string
	min, max            int    // how many arguments it takes
	wanted              string // which ones
	outlives            bool   // goes on when nobody reads its output any more
	experiment          string // whose config keys it has; empty for none
	complete            cobra.CompletionFunc
	flags               func(f *pflag.FlagSet)
	run                 func(c *cobra.Command, args []string) error
}

// experimentNote is the annotation of a command that names its experiment.
const experimentNote = "experiment"

// newCommand makes the sub-command that s describes.
func newCommand(s spec) *cobra.Command {
	c := &cobra.Command{Use: s.use, Short: s.short, Example: "  " + s.example, ValidArgsFunction: s.complete, DisableFlagsInUseLine: true}
	c.Long = descriptions[c.Name()]
	f := c.Flags()
	f.SortFlags = false
	if s.flags != nil {
		s.flags(f)
	}
	if s.experiment != "" {
		c.Annotations = map[string]string{experimentNote: s.experiment}
		f.Bool("keys", false, "list all keys of a config")
	}
	f.BoolP("help", "h", false, "print flags and an example")
	_ = f.MarkHidden("help") // fails for unknown flags only, and so do registrations of completions
	completeFlags(c, s.experiment)
	c.Args = func(c *cobra.Command, args []string) error {
		if err := expandHome(f); err != nil {
			return usagef("%s: %w", c.Name(), err)
		}
		if n := len(args); !wantsKeys(f) && (n < s.min || n > s.max) {
			return usagef("%s: %s wanted, %d given", c.Name(), s.wanted, n)
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if wantsKeys(f) {
			printKeys(c.OutOrStdout(), s.experiment)
			return nil
		}
		if _, err := torch.Processor(); err != nil {
			return usageError{err}
		}
		if _, err := home.Expand(os.Getenv("GODARTS_DATA")); err != nil {
			return usagef("GODARTS_DATA: %w", err)
		}
		if s.outlives {
			ignoreBrokenPipe()
		}
		return s.run(c, args)
	}
	return c
}

// wantsKeys reports whether --keys is given.
func wantsKeys(f *pflag.FlagSet) bool {
	keys := f.Lookup("keys")
	return keys != nil && keys.Value.String() == "true"
}

// expandHome expands the ~ of arguments and of flags that name a file or a folder.
func expandHome(f *pflag.FlagSet) error {
	var errs []error
	expand := func(path string) string {
		expanded, err := home.Expand(path)
		errs = append(errs, err)
		return expanded
	}
	f.Visit(func(flag *pflag.Flag) {
		kind, _ := pflag.UnquoteUsage(flag)
		if !slices.Contains([]string{"FILE", "DIR", "folder"}, kind) && flag.Name != "genotype" {
			return
		}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			paths := list.GetSlice()
			for i, path := range paths {
				paths[i] = expand(path)
			}
			errs = append(errs, list.Replace(paths))
			return
		}
		errs = append(errs, flag.Value.Set(expand(flag.Value.String())))
	})
	for i, arg := range f.Args() {
		f.Args()[i] = expand(arg)
	}
	return errors.Join(errs...)
}
