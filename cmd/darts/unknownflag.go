package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"godarts/nas/config"
	"godarts/nas/names"
)

// unknownFlag adds to the error of f for args what a flag that f does not have may stand for: a
// key of the config, a flag of another command, or a flag of f that is spelled almost so.
func unknownFlag(f *pflag.FlagSet, args []string, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return err
	}
	name := unknown.GetSpecifiedName()
	if keys := config.KeysNamed(name); len(keys) > 0 && f.Lookup("set") != nil {
		const most = 3
		others := ""
		if rest := keys[1:]; len(rest) > 0 {
			others = fmt.Sprintf(" (or %s)", strings.Join(rest[:min(len(rest), most)], ", "))
		}
		return fmt.Errorf("%w: a key of the config is set by --set %s%s", err, names.Shell(keys[0]+"="+valueOf(args, name)), others)
	}
	if others := commandsWith(name); len(others) > 0 {
		return fmt.Errorf("%w: %s has it", err, strings.Join(others, " or "))
	}
	var own []string
	f.VisitAll(func(flag *pflag.Flag) { own = append(own, flag.Name) })
	if near := names.Nearest(name, own); names.Distance(name, near) <= 2 {
		return fmt.Errorf("%w: nearest is --%s", err, near)
	}
	return err
}

// valueOf is the value that args give to a flag, "..." if they give none.
func valueOf(args []string, flag string) string {
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--"+flag+"="); ok {
			return value
		}
		if arg == "--"+flag && i+1 < len(args) && !strings.HasPrefix(args[i+1], "--") {
			return args[i+1]
		}
	}
	return "..."
}

// commandsWith are the commands whose help lists a flag.
func commandsWith(flag string) (with []string) {
	listed := regexp.MustCompile(`(?m)^ +(-\w, )?--` + regexp.QuoteMeta(flag) + `\b`)
	for _, c := range commands() {
		var help bytes.Buffer
		_ = c.run([]string{"--help"}, &help, io.Discard) // pflag.ErrHelp
		if listed.Match(help.Bytes()) {
			with = append(with, "`darts "+c.name+"`")
		}
	}
	return with
}
