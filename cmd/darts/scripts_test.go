package main

import (
	"bytes"
	"errors"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// script runs a script of the repository and gives its exit status and what it printed.
func script(t *testing.T, name string, args ...string) (status int, output string) {
	t.Helper()
	out, err := exec.Command("../../scripts/"+name, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		status = exit.ExitCode()
	}
	return status, string(out)
}

func TestScriptsHelp(t *testing.T) {
	// A script tells how it is used, and starts nothing, when it is asked for help or does not know an argument.
	for _, name := range []string{"quickstart", "setup", "setup-checks", "test", "bench", "man", "release", "release-check", "onnx-latency", "carry", "reproduce", "gpu-check", "aarch64-check"} {
		for _, help := range []string{"--help", "-h"} {
			if status, out := script(t, name, help); status != 0 || !strings.HasPrefix(out, "usage: scripts/"+name) {
				t.Errorf("%s %s: status %d, %q", name, help, status, out)
			}
		}
	}
	for _, args := range [][]string{
		{"quickstart", "--epochs", "2"}, {"quickstart", "--out", "x", "y"}, {"quickstart", "-x"}, {"quickstart", "--outer=x"}, {"setup", "--gpu"}, {"bench", "--row", "x"}, {"bench", "quick"}, {"man", "-x"}, {"release", "--x"}, {"release-check", "-x"}, {"setup-checks", "-x"}, {"onnx-latency"}, {"onnx-latency", "x", "0"},
		{"carry"}, {"carry", "send", "x", "y"}, {"carry", "pack", "x"}, {"reproduce", "--minutes", "soon"}, {"reproduce", "--order", "3"}, {"reproduce", "--seed", "-1"}, {"reproduce", "--toy=1"},
		{"reproduce", "--page", "x.html"}, {"reproduce", "--run"}, {"reproduce", "x"}, {"gpu-check", "--size", "huge"}, {"gpu-check", "--only", "tests,cooking"}, {"gpu-check", "x"}, {"aarch64-check", "x"}, {"aarch64-check", "--tests"},
		{"test", "-shirt"}, {"test", "-short", "nothing-like-it"},
	} {
		status, out := script(t, args[0], args[1:]...)
		first, rest, _ := strings.Cut(out, "\n")
		if status != 2 || !strings.HasPrefix(first, args[0]+": ") || !strings.HasPrefix(rest, "usage: scripts/"+args[0]) {
			t.Errorf("%v: status %d, %q", args, status, out)
		}
	}
	if _, out := script(t, "quickstart", "--set", "--help", "--help"); !strings.HasPrefix(out, "usage:") { // the first is a value
		t.Errorf("got %q", out)
	}
}

func TestScriptsFlags(t *testing.T) {
	// The flags that a script passes on are those of the command, but for those that it sets itself.
	for _, test := range []struct {
		script, command string
		own             []string
	}{
		{"quickstart", "search", []string{"--resume", "--tensorboard", "--serve", "--notify", "--keys"}},
		{"bench", "bench", []string{"--against", "--count", "--json", "--markdown", "--chart"}},
	} {
		var help bytes.Buffer
		if status := run([]string{test.command, "--help"}, &help, &help); status != exitOK {
			t.Fatal(help.String())
		}
		var want []string
		for _, flag := range regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[\w-]+)`).FindAllStringSubmatch(help.String(), -1) {
			if !slices.Contains(test.own, flag[1]) {
				want = append(want, flag[1])
			}
		}
		_, out := script(t, test.script, "--help")
		_, listed, _ := strings.Cut(out, "each with a value: ")
		if got := strings.Fields(listed); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", test.script, got, want)
		}
	}
}
