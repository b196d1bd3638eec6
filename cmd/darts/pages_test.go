package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"godarts/nas/config"
)

// pages are the texts whose commands TestPages runs, by their paths from the root.
func pages(t *testing.T) []string {
	t.Helper()
	found := []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "RATIONALE.md", "testdata/README.md"}
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(docs) < 10 {
		t.Fatalf("%d pages in docs, %v", len(docs), err)
	}
	for _, page := range docs {
		found = append(found, "docs/"+filepath.Base(page))
	}
	return found
}

// shrink says how a command of the pages is run in a test.
type shrink struct {
	command *regexp.Regexp
	add     []string // arguments that make it small; what comes last holds
	only    string   // why its flags and its config are checked instead, if they are
}

// set is "--set" before each item.
func set(items ...string) (args []string) {
	for _, item := range items {
		args = append(args, "--set", item)
	}
	return args
}

var (
	smallImages = []string{"data.subset=64", "data.batch=16", "network.channels=4", "network.layers=3", "epochs=1", "expect=null"}
	smallText   = set("data.name=synthetic-text", "data.tokens=1000", "data.batch=8", "network.hidden=16", "epochs=1", "expect=null")
)

// shrinks are tried in this order.
var shrinks = []shrink{
	{command: regexp.MustCompile(`[^A-Z_][A-Z]{3,}|\\\||^darts \w+ [A-Z]+$| --help| --resume `), only: "it names what a reader has"},
	{command: regexp.MustCompile(`^darts (bench|compare) `), only: "it takes minutes"},
	{command: regexp.MustCompile(`^darts repeat configs/[a-z0-9-]*\.yaml`), only: "it takes days"},
	{command: regexp.MustCompile(`^darts sweep configs/sweep-digits-cost`), add: set("base.data.subset=64", "base.data.batch=16", "base.network.nodes=2", "base.epochs=1", "base.evaluate.train.epochs=1", "seeds=1")},
	{command: regexp.MustCompile(`^darts search configs/sweep-digits-cost-search`), add: set("data.subset=64", "data.batch=16", "epochs=1", "evaluate.train.epochs=1")},
	{command: regexp.MustCompile(`^darts sweep configs/sweep-digits`), add: set("base.data.subset=64", "base.data.batch=16", "base.network.nodes=2", "seeds=1", "halving.rungs=[1, 2]")},
	{command: regexp.MustCompile(` --device cuda`), only: "it needs a GPU"},
	{command: regexp.MustCompile(`^darts serve `), only: "it goes on until somebody ends it"},
	{command: regexp.MustCompile(`^darts data get `), only: "it downloads"},
	{command: regexp.MustCompile(`^darts data export cifar10 `), add: []string{"--n", "200"}},
	{command: regexp.MustCompile(`^darts search configs/ptb`), add: smallText},
	{command: regexp.MustCompile(`^darts train configs/(ptb|wikitext2)`), add: smallText},
	{command: regexp.MustCompile(`^darts search imagefolder-search`), add: set(append(smallImages, "network.nodes=2")...)},
	{command: regexp.MustCompile(`^darts train imagefolder-train`), add: set(smallImages...)},
	{command: regexp.MustCompile(`^darts search (configs/)?quickstart`), add: set("data.subset=64", "data.batch=16", "epochs=1", "evaluate=null")},
	{command: regexp.MustCompile(`^darts search (configs/)?cifar10`), add: set(append(smallImages, "data.name=digits", "network.nodes=2")...)},
	{command: regexp.MustCompile(`^darts train (configs/)?cifar10`), add: set(append(smallImages, "data.name=digits", "data.cutout=0", "network.auxiliary=false")...)},
	{command: regexp.MustCompile(`^darts train configs/compare-digits`), add: set("data.subset=64", "data.batch=16", "epochs=1")},
	{command: regexp.MustCompile(`^darts prune runs/`), add: []string{"--epochs", "1", "--threads", "1"}},
	{command: regexp.MustCompile(`^darts compress runs/cifar`), add: []string{"--epochs", "1"}},
	{command: regexp.MustCompile(`^darts completion `), only: "it is for a shell"},
	{command: regexp.MustCompile(`^darts (help|configs|test|classify|generate|latency|info|draw|report|runs|plot|export|quantise|compress|genotypes|version|repeat)( |$)`)},
}

// commandsOf finds the commands of a page: lines of its blocks, which a backslash at the end
// continues and whose variables it fills in, and what stands between backquotes with an argument.
func commandsOf(page string) (found []string) {
	page = regexp.MustCompile(`(?m) *\\\n +`).ReplaceAllString(page, " ")
	variables := map[string]string{}
	inline := regexp.MustCompile("`(?:bin/)?(darts [a-z0-9]+ [^`]+)`")
	assignment := regexp.MustCompile(`^    ([A-Z])="(.*)"$`)
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		if m := assignment.FindStringSubmatch(line); m != nil {
			variables[m[1]] = m[2]
			continue
		}
		if command, ok := strings.CutPrefix(line, "    bin/"); ok && strings.HasPrefix(command, "darts ") {
			command, _, _ = strings.Cut(command, " #")
			for name, value := range variables {
				command = strings.ReplaceAll(command, "$"+name, value)
			}
			found = append(found, strings.TrimSpace(command))
		}
		for _, m := range inline.FindAllStringSubmatch(line, -1) {
			found = append(found, m[1])
		}
	}
	return found
}

func TestPages(t *testing.T) {
	// Every command of the pages works when it is run, at a small size, in their order.
	if testing.Short() {
		t.Skip("-short: every command of the pages")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	all := pages(t)
	t.Setenv("GODARTS_DATA", "")
	ran, seen := 0, map[string]bool{}
	for _, name := range all {
		page, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Chdir(t.TempDir()) // a page needs none of what another made
		if err := os.Symlink(filepath.Join(root, "configs"), "configs"); err != nil {
			t.Fatal(err)
		}
		for _, command := range commandsOf(string(page)) {
			i := slices.IndexFunc(shrinks, func(s shrink) bool { return s.command.MatchString(command) })
			if i < 0 {
				t.Errorf("%s: %s: say in shrinks how to run it", name, command)
				continue
			}
			args := strings.Fields(strings.ReplaceAll(command, "export cifar10", "export digits"))[1:]
			if shrinks[i].only != "" {
				checkCommand(t, name, command, args)
				continue
			}
			if seen[command] && !strings.Contains(command, "runs/") {
				continue // another page has it, and no other command needs what it makes
			}
			seen[command] = true
			ran++
			var stdout, stderr bytes.Buffer
			if status := run(append(args, shrinks[i].add...), &stdout, &stderr); status != exitOK {
				t.Errorf("%s: %s: status %d, %s", name, command, status, stderr.String())
			}
		}
	}
	if ran < 20 {
		t.Errorf("%d commands ran: the pages have more", ran)
	}
}

// checkCommand checks flags, and that the config that a command names takes its settings.
func checkCommand(t *testing.T, page, command string, args []string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run([]string{args[0], "--help"}, &stdout, &stderr); status != exitOK {
		t.Errorf("%s: %s: status %d, %s", page, command, status, stderr.String())
	}
	for _, a := range strings.Fields(strings.ReplaceAll(strings.Join(args[1:], " "), `\|`, " ")) { // a table escapes the | between two
		a, _, _ = strings.Cut(a, "=") // the help has the flag, not each value
		if strings.HasPrefix(a, "-") && a != "--help" && !regexp.MustCompile(a+`\b`).MatchString(stdout.String()) {
			t.Errorf("%s: %s: the help of %s lacks %s", page, command, args[0], a)
		}
	}
	if len(args) < 2 || !strings.HasPrefix(args[1], "configs/") {
		return
	}
	var sets []string
	for i, a := range args[:len(args)-1] {
		if a == "--set" {
			sets = append(sets, args[i+1])
		}
	}
	switch args[0] {
	case "search", "train":
		_, err := config.Load(args[1], sets...)
		if err != nil {
			t.Errorf("%s: %s: %v", page, command, err)
		}
	case "repeat":
		if _, err := config.LoadWhole(args[1], sets...); err != nil {
			t.Errorf("%s: %s: %v", page, command, err)
		}
	case "compare":
		if _, err := config.LoadNetworkComparison(args[1], sets...); err != nil {
			t.Errorf("%s: %s: %v", page, command, err)
		}
	}
}

func TestScriptsOfPages(t *testing.T) {
	// Every script and folder of scripts that the pages name is there, and a script can be started.
	for _, name := range pages(t) {
		page, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, script := range regexp.MustCompile("(?:    |`|run \\./)(scripts/[a-z0-9_-]+(?:\\.[a-z]+)?)").FindAllStringSubmatch(string(page), -1) {
			info, err := os.Stat("../../" + script[1])
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if filepath.Ext(script[1]) == "" && info.Mode()&0o111 == 0 {
				t.Errorf("%s: %s cannot be started", name, script[1])
			}
		}
	}
}

func TestKeysOfPages(t *testing.T) {
	// Every config key that a page names between backquotes is one when all pages are read.
	keys := map[string]bool{}
	sections := map[string]bool{}
	for _, line := range config.Keys() {
		key, _, _ := strings.Cut(line, " ")
		keys[key] = true
		for i, r := range key {
			if r == '.' {
				sections[key[:i]] = true
			}
		}
	}
	found := 0
	for _, name := range pages(t) {
		page, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("`(?:--set )?([a-z_]+\\.[a-z0-9_.]+)[:=`]").FindAllStringSubmatch(string(page), -1) {
			section, _, _ := strings.Cut(m[1], ".")
			if !sections[section] || filepath.Ext(m[1]) == ".go" || slices.Contains([]string{".json", ".jsonl", ".yaml"}, filepath.Ext(m[1])) {
				continue
			}
			found++
			if !keys[m[1]] && !sections[m[1]] {
				t.Errorf("%s: %s is no config key", name, m[1])
			}
		}
	}
	if found < 100 {
		t.Errorf("%d keys are named", found)
	}
}

func TestDrawingOfPages(t *testing.T) {
	// The drawings in docs/cells are those that `darts draw DARTS_V2` writes now.
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	if status := run([]string{"draw", "DARTS_V2", "-o", dir}, &stdout, &stderr); status != exitOK {
		t.Fatal(stderr.String())
	}
	for _, name := range []string{"normal.svg", "reduce.svg"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile("../../docs/cells/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/cells/%s is not what `darts draw DARTS_V2 -o docs/cells` writes", name)
		}
	}
}

func TestConfigsOfPages(t *testing.T) {
	// Every config that a page shows as YAML loads when it lies among the repository's, or beside their folder.
	dir := t.TempDir()
	if err := os.Symlink(dir, filepath.Join(dir, "configs")); err != nil {
		t.Fatal(err)
	}
	configs, err := filepath.Glob("../../configs/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range configs {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	found := 0
	for _, name := range pages(t) {
		page, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
			if strings.HasPrefix(block[1], "# yaml-language-server:") {
				continue // a line for the head of a config
			}
			found++
			file := filepath.Join(dir, "of-the-page.yaml")
			if err := os.WriteFile(file, []byte(block[1]), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := config.Load(file); err != nil {
				t.Errorf("%s: %v in\n%s", name, err, block[1])
			}
		}
	}
	if found < 4 {
		t.Errorf("%d configs", found)
	}
}
