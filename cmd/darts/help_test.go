package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"godarts/nas/config"
	"godarts/nas/runfolder"
)

// printed runs a command line that has to succeed, and gives what it prints to stdout.
func printed(t *testing.T, words ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(words, &stdout, &stderr); status != exitOK {
		t.Fatalf("%q: status %d, stderr %q", words, status, stderr.String())
	}
	return stdout.String()
}

func TestHelp(t *testing.T) {
	// Every command prints usage, an example and no more than 24 lines of 80 columns, when asked for help in one of three ways.
	for _, c := range newRoot(nil).Commands() {
		help := printed(t, c.Name(), "--help")
		for _, want := range []string{"usage: darts " + c.Name(), "example:\n  "} {
			if !strings.Contains(help, want) {
				t.Errorf("%s: the help lacks %q", c.Name(), want)
			}
		}
		for _, other := range [][]string{{"help", c.Name()}, {c.Name(), "-h"}} {
			if got := printed(t, other...); got != help {
				t.Errorf("%q: got\n%s\nwant\n%s", other, got, help)
			}
		}
		fitsScreen(t, c.Name(), help)
	}
	root := printed(t, "help")
	if !strings.Contains(root, "  search ") || root != printed(t, "--help") || root != printed(t, "-h") {
		t.Errorf("the help of the program is %q", root)
	}
	fitsScreen(t, "darts", root)
}

// fitsScreen fails the test if a text is larger than a screen.
func fitsScreen(t *testing.T, name, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > 24 {
		t.Errorf("%s: %d lines:\n%s", name, len(lines), text)
	}
	for _, line := range lines {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("%s: %d columns: %s", name, utf8.RuneCountInString(line), line)
		}
	}
}

func TestKeys(t *testing.T) {
	// --keys lists every key that the experiment's config has, and no other, when a command has a config; help shows some with their defaults.
	for name, experiment := range map[string]string{"search": config.Search, "train": config.Train, "repeat": config.Repeat, "compare": config.Comparison} {
		var want, got []string
		for _, line := range config.Keys() {
			key, _, _ := strings.Cut(line, " ")
			if strings.HasPrefix(key, "evaluate.train") { // a file of sets of runs, keys of a search
				ofSets := experiment == config.Repeat || experiment == config.Comparison
				if experiment != config.Train && ofSets == (key == "evaluate.train") {
					want = append(want, key)
				}
				continue
			}
			text := "experiment: " + experiment
			if experiment == config.Repeat {
				text += "\nrepeat: {search: a.yaml, train: b.yaml}"
			}
			file := writeFile(t, "c.yaml", text)
			value := "{no: value}" // a key that the experiment has is then the value's fault
			if !strings.Contains(key, ".") {
				value = "1"
			}
			_, err := config.Load(file, key+"="+value)
			if err == nil || !strings.Contains(err.Error(), "does not apply to experiment") {
				want = append(want, key)
			}
		}
		for line := range strings.Lines(printed(t, name, "--keys")) {
			key, _, _ := strings.Cut(line, " ")
			got = append(got, key)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		help := printed(t, name, "--help")
		for _, key := range mostUsed[experiment] {
			if !strings.Contains(help, " "+key) || !slices.Contains(got, key) {
				t.Errorf("%s: the help lacks %s, or the experiment has no such key", name, key)
			}
		}
	}
	if help := printed(t, "search", "--help"); !strings.Contains(help, " epochs=50") || !strings.Contains(help, "(all: --keys)") {
		t.Errorf("the help of search is %s", help)
	}
}

func TestVersionFlag(t *testing.T) {
	// --version prints one line when it is given without a command.
	if got, want := printed(t, "--version"), "darts "+runfolder.Version()+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestManualPages(t *testing.T) {
	// A page with flags, example and a description of its own is written for each command, to a folder that is made, when manual pages are asked for.
	dir := filepath.Join(t.TempDir(), "man", "man1")
	printed(t, "man", dir)
	for _, c := range append(newRoot(nil).Commands(), newRoot(nil)) {
		if c.IsAvailableCommand() && len(c.Long) < 2*len(c.Short) {
			t.Errorf("%s has no entry in descriptions: its page would only repeat %q", c.Name(), c.Short)
		}
	}
	for _, name := range []string{"", "-search", "-train", "-test", "-repeat", "-info", "-export", "-compare", "-bench", "-draw", "-genotypes", "-data", "-version", "-completion"} {
		page, err := os.ReadFile(filepath.Join(dir, "darts"+name+".1"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{".SH NAME", ".SH SYNOPSIS"} {
			if !bytes.Contains(page, []byte(want)) {
				t.Errorf("darts%s.1 lacks %s", name, want)
			}
		}
		if name == "-search" && (!bytes.Contains(page, []byte("checkpoint-every")) || !bytes.Contains(page, []byte("goes on from the newest")) || !bytes.Contains(page, []byte("cifar10-darts-second.yaml"))) {
			t.Errorf("the page of search lacks a flag or its example:\n%s", page)
		}
	}
}
