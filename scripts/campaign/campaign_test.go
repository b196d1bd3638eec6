package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "godarts/nas" // registers the strategies
	"godarts/nas/config"
	_ "godarts/nas/search" // whose strategies the configs name
)

// attackFake attacks a shell script in place of the program and returns the output.
func attackFake(t *testing.T, script string, parts ...string) (found bool, said string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	fake := filepath.Join(dir, "fake")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	found, err := run(append([]string{"--darts", fake, "--seed", "1", "--minutes", "0.00001"}, parts...), &out)
	if err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "attack-*"))
	if err != nil || len(left) > 0 != found {
		t.Errorf("found %v, left %q, %v: want a folder if something was found", found, left, err)
	}
	return found, out.String()
}

func TestFindings(t *testing.T) {
	// An attack reports a trace, an error without a line, several lines, a control character, success and other bytes, with the way to repeat it, and nothing else.
	const run = `while [ $# -gt 0 ]; do case $1 in --out|--resume) d=$2;; esac; shift; done; mkdir -p $d; : >$d/config.yaml; `
	const disturbed = `case $PWD in *undisturbed*) ;; *) ` // the commands after it, up to esac, run only in attacked runs, whenever signals come
	for _, test := range []struct{ name, script, part, want string }{
		{"one line", `echo "darts: unknown command" >&2; exit 2`, "hostile:0", ""},
		{"a trace", `echo "panic: oh" >&2; exit 2`, "hostile:0", `printed a trace ("panic:")`},
		{"no line", `exit 1`, "hostile:0", "failed without an error"},
		{"several lines", `echo "darts: a" >&2; echo "b" >&2; exit 1`, "hostile:0", "one of several lines"},
		{"two errors", `echo "darts: unknown command" >&2; echo "darts: b" >&2; exit 1`, "hostile:0", "want one line"},
		{"another error", `echo "darts: a" >&2; exit 1`, "hostile:0", "want unknown command"},
		{"a control character", `printf 'darts: \033[31m\n' >&2; exit 1`, "hostile:1", "printed the control character"},
		{"a long error", `printf 'darts: %05000d\n' 1 >&2; exit 1`, "hostile:2", "an error of 5007 bytes"},
		{"success", `exit 0`, "hostile:0", "succeeds"},
		{"a signal", `kill -SEGV $$`, "hostile:1", "ended by a signal"},
		{"equal bytes", run + `echo same >$d/result.json`, "kill:0", ""},
		{"other bytes", run + `echo $$ >$d/result.json`, "kill:0", "result.json differs"},
		{"a file more", run + disturbed + `: >$d/.b;; esac; : >$d/a`, "kill:0", ".b is there"},
		{"no going on", run + disturbed + `echo "darts: no" >&2; exit 1;; esac; : >$d/a`, "kill:0", "does not go on"},
		{"no end", run + disturbed + `echo "darts: a" >&2; exit 3;; esac; : >$d/a`, "signals:0", "status 3"},
		{"a wrong answer", run + `[ -e $d/a ] && echo $$; echo 1 >$d/a`, "flips:0", "answers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			found, said := attackFake(t, test.script, test.part)
			again := "again: scripts/attack --seed 1 " + test.part
			if found != (test.want != "") || !strings.Contains(said, test.want) || found && !strings.Contains(said, again) {
				t.Errorf("found %v, want %q, printed\n%s", found, test.want, said)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	// The error says what is wanted when there is no such part, trial or program.
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"flip"}, `no part "flip": want hostile`},
		{[]string{"flips:x"}, `part flips: no trial "x"`},
		{[]string{"--minutes", "0"}, "--minutes 0: want a number above 0"},
		{[]string{"--darts", "nothing"}, "build it, or name it by --darts"},
	} {
		if _, err := run(test.args, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %s", test.args, err, test.want)
		}
	}
}

func TestSubjects(t *testing.T) {
	// The program accepts the config of every attacked run.
	var subjects []subject
	for _, configs := range [][]subjectConfig{subjectConfigs, everyConfigs} {
		some, err := writeSubjects(t.TempDir(), configs)
		if err != nil {
			t.Fatal(err)
		}
		subjects = append(subjects, some...)
	}
	for _, s := range subjects {
		var err error
		switch s.command {
		case "repeat":
			_, err = config.LoadWhole(s.config)
		case "compare":
			_, err = config.LoadNetworkComparison(s.config)
		default:
			_, err = config.Load(s.config)
		}
		if err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
}

func TestTargets(t *testing.T) {
	// Every fuzz target of the repository is found.
	t.Chdir("../..")
	names := map[string]string{}
	for _, f := range fuzzTargets() {
		names[f.name] = f.folder
	}
	for name, folder := range map[string]string{"FuzzPickle": "torch/pickle", "FuzzSafetensors": "torch/safetensors", "FuzzParseGenotype": "cells/genotype", "FuzzParse": "nas/config", "FuzzCIFAR": "nas/data/cifar"} {
		if names[name] != folder {
			t.Errorf("%s is found in %q, want %q", name, names[name], folder)
		}
	}
}
