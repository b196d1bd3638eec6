// Command mutate makes known mistakes in the program, one at a time, and lists those that
// no test notices. It changes no file of the repository: an overlay shows the mistake to
// the compiler.
//
//	go run ./scripts/mutate                      all of them
//	go run ./scripts/mutate pc-darts train       those whose names begin with these words
//	go run ./scripts/mutate --list               shows them, runs none
//
// It exits with 1 unless every mutant is killed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	f := pflag.NewFlagSet("mutate", pflag.ContinueOnError)
	f.SetOutput(progress)
	list := f.Bool("list", false, "list the mutants and the tests that should notice them, run nothing")
	if err := f.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(mutants, f.Args())
	if err != nil {
		return err
	}
	if *list {
		for _, m := range chosen {
			fmt.Fprintf(out, "%s (%s; go test -run '%s' ./%s)\n", m.name, m.file, m.by.run, m.by.folder)
		}
		return nil
	}
	root, err := root()
	if err != nil {
		return err
	}
	return try(ctx, root, chosen, out)
}

// root returns the folder of the module.
func root() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("the module's folder: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// choose returns the mutants whose names begin with one of the prefixes, all without prefixes.
func choose(all []mutant, prefixes []string) (chosen []mutant, err error) {
	if len(prefixes) == 0 {
		return all, nil
	}
	for _, prefix := range prefixes {
		before := len(chosen)
		for _, m := range all {
			if strings.HasPrefix(m.name, prefix) {
				chosen = append(chosen, m)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("no mutant's name begins with %q: --list shows them", prefix)
		}
	}
	return chosen, nil
}

// try runs the tests without a mistake, then with each.
func try(ctx context.Context, root string, chosen []mutant, out io.Writer) error {
	begin := time.Now()
	if err := unchanged(ctx, root, chosen, out); err != nil {
		return err
	}
	counts := map[outcome]int{}
	for _, m := range chosen {
		start := time.Now()
		result, by, err := m.try(ctx, root)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		counts[result]++
		fmt.Fprintf(out, "%-16s %5.1f s  %s (%s)\n", result, time.Since(start).Seconds(), m.name, by)
	}
	var parts []string
	for _, o := range []outcome{killed, survived, broken, misfit} {
		if counts[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[o], o))
		}
	}
	fmt.Fprintf(out, "%d mutants in %s: %s\n", len(chosen), time.Since(begin).Round(time.Second), strings.Join(parts, ", "))
	if counts[killed] < len(chosen) {
		return errors.New("not every mutant is killed")
	}
	return nil
}

// unchanged returns an error if a test fails without a mistake, or if no test has one of the
// names. It runs the tests of each folder once.
func unchanged(ctx context.Context, root string, chosen []mutant, out io.Writer) error {
	runs := map[string][]string{}
	var folders []string
	for _, m := range chosen {
		if !slices.Contains(folders, m.by.folder) {
			folders = append(folders, m.by.folder)
		}
		if !slices.Contains(runs[m.by.folder], m.by.run) {
			runs[m.by.folder] = append(runs[m.by.folder], m.by.run)
		}
	}
	for _, folder := range folders {
		start := time.Now()
		said, err := test(ctx, root, "", tests{folder, strings.Join(runs[folder], "|")})
		if err != nil {
			return fmt.Errorf("the tests of %s fail without a mutant: %w\n%s", folder, err, said)
		}
		if strings.Contains(said, "[no tests to run]") {
			return fmt.Errorf("%s has no test of %s", folder, strings.Join(runs[folder], "|"))
		}
		fmt.Fprintf(out, "%-16s %5.1f s  %s\n", "pass without one", time.Since(start).Seconds(), folder)
	}
	return nil
}

// outcome is the result of a mutant.
type outcome string

const (
	killed   outcome = "killed"
	survived outcome = "SURVIVED"
	broken   outcome = "DOES NOT COMPILE"
	misfit   outcome = "TEXT NOT FOUND"
)

// try runs the mutant's tests with it. by is the test that failed first, or says why none did.
func (m mutant) try(ctx context.Context, root string) (result outcome, by string, err error) {
	text, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", "", err
	}
	mutated, err := m.apply(string(text))
	if err != nil {
		return misfit, err.Error(), nil
	}
	folder, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(folder)
	overlay, err := overlay(folder, filepath.Join(root, m.file), mutated)
	if err != nil {
		return "", "", err
	}
	said, err := test(ctx, root, overlay, m.by)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", "", ctx.Err()
	case err == nil:
		return survived, fmt.Sprintf("go test -run '%s' ./%s", m.by.run, m.by.folder), nil
	case !errors.As(err, &exit):
		return "", "", err
	case strings.Contains(said, "[build failed]") || strings.Contains(said, "[setup failed]"):
		return broken, said, nil
	}
	return killed, failed(said), nil
}

// failed returns the name of the first test that failed, or what ended all of them.
func failed(said string) string {
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
			return strings.Fields(name)[0]
		}
		if strings.HasPrefix(line, "panic: ") {
			return line
		}
	}
	return ""
}
